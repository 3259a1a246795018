// A real MySQL 9.7 or MariaDB 10.11 for C++ tests: loopback, a free port, a private folder, ended by its own
// pid. Run from the repository's root (ctest does). Link libmariadb.
#pragma once

#include <arpa/inet.h>
#include <mysql.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace hakobu::testing {

// Throws std::runtime_error when something does not work: a test without its server has nothing to say.
class MysqlServer {
 public:
  // flavor: "mysql" or "mariadb".
  explicit MysqlServer(std::string flavor, std::vector<std::string> options = {})
      : flavor_(std::move(flavor)), options_(std::move(options)) {
    char folder[] = "/tmp/hakobu-server-XXXXXX";
    if (mkdtemp(folder) == nullptr) throw std::runtime_error("mkdtemp failed");
    folder_ = folder;
    port_ = FreePort();
    Start();
  }
  ~MysqlServer() {
    Kill(SIGKILL);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  MysqlServer(const MysqlServer&) = delete;
  MysqlServer& operator=(const MysqlServer&) = delete;

  // One server of each flavor for the whole test program.
  static MysqlServer& Shared(const std::string& flavor) {
    static MysqlServer mysql("mysql");
    static MysqlServer mariadb("mariadb");
    return flavor == "mariadb" ? mariadb : mysql;
  }

  void Start() {
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that dies takes its server along
      std::vector<std::string> arguments = {"scripts/mysql-server", flavor_, folder_, std::to_string(port_)};
      arguments.insert(arguments.end(), options_.begin(), options_.end());
      std::vector<char*> raw;
      for (std::string& argument : arguments) raw.push_back(argument.data());
      raw.push_back(nullptr);
      if (freopen((folder_ + "/start.log").c_str(), "a", stderr) == nullptr) _exit(126);
      execv(raw[0], raw.data());
      _exit(127);
    }
    WaitUntilReady();
  }
  void Signal(int signal_number) const { kill(pid_, signal_number); }
  void Kill(int signal_number) {
    if (pid_ <= 0) return;
    kill(pid_, signal_number);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  // As root over the socket, statements separated by ';'. Results are thrown away.
  void Execute(const std::string& sql) const {
    MYSQL* root = Connect();
    std::string error;
    if (mysql_real_query(root, sql.data(), sql.size()) != 0) error = mysql_error(root);
    while (error.empty()) {
      if (MYSQL_RES* result = mysql_store_result(root)) mysql_free_result(result);
      const int more = mysql_next_result(root);
      if (more > 0) error = mysql_error(root);
      if (more != 0) break;
    }
    mysql_close(root);
    if (!error.empty()) throw std::runtime_error(error + " in: " + sql.substr(0, 500));
  }

  const std::string& flavor() const { return flavor_; }
  const std::string& folder() const { return folder_; }
  std::string socket() const { return folder_ + "/mysql.sock"; }
  uint16_t port() const { return port_; }
  bool mariadb() const { return flavor_ == "mariadb"; }

 private:
  static uint16_t FreePort() {
    const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(probe, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no free port");
    }
    close(probe);
    return ntohs(address.sin_port);
  }
  MYSQL* Connect() const {
    MYSQL* root = mysql_init(nullptr);
    mysql_optionsv(root, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(root, nullptr, "root", "", nullptr, 0, socket().c_str(),
                           CLIENT_MULTI_STATEMENTS) == nullptr) {
      const std::string error = mysql_error(root);
      mysql_close(root);
      throw std::runtime_error("connect to the test server: " + error);
    }
    return root;
  }
  void WaitUntilReady() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    for (;;) {
      try {
        mysql_close(Connect());
        return;
      } catch (const std::runtime_error&) {
        if (waitpid(pid_, nullptr, WNOHANG) == pid_ || std::chrono::steady_clock::now() > deadline) {
          pid_ = -1;
          throw std::runtime_error("the " + flavor_ + " server did not start: see " + folder_);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
      }
    }
  }

  std::string flavor_;
  std::vector<std::string> options_;
  std::string folder_;
  uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace hakobu::testing
