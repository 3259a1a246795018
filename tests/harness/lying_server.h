// A server that speaks MySQL's protocol and does what a test wants of it: for what no real server does.
// Loopback, a free port, a thread a connection; keeps every byte that it was sent.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace hakobu::testing {

class LyingServer {
 public:
  // One connection, as the script sees it.
  class Client {
   public:
    Client(LyingServer* server, int socket) : server_(server), socket_(socket) {}

    // The next packet's payload; nullopt when the other end is gone or the test is over.
    std::optional<std::string> Receive() {
      const std::optional<std::string> header = Take(4);
      if (!header) return std::nullopt;
      const auto byte = [&header](size_t i) {
        return static_cast<size_t>(static_cast<uint8_t>((*header)[i]));
      };
      sequence_ = static_cast<uint8_t>(byte(3) + 1);
      return Take(byte(0) | byte(1) << 8 | byte(2) << 16);
    }
    void Send(std::string_view payload) {
      std::string packet;
      for (int shift = 0; shift < 24; shift += 8) packet += static_cast<char>(payload.size() >> shift);
      packet += static_cast<char>(sequence_++);
      SendRaw(packet += payload);
    }
    void SendRaw(std::string_view bytes) {
      const std::string altered = alter_ ? alter_(std::string(bytes)) : std::string();
      if (alter_) bytes = altered;
      (void)!::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    // What becomes of each packet that is sent from here on.
    void Alter(std::function<std::string(std::string)> alter) { alter_ = std::move(alter); }

    static constexpr uint32_t kTls = 0x800;
    // Protocol::HandshakeV10 with every capability that a login needs.
    void Greet(std::string_view method = "mysql_native_password", uint32_t more = 0,
               std::string_view version = "9.7.0") {
      const uint32_t capabilities = 0x000fa209u | 0x8u | more;  // 4.1, secure, plugins, attributes
      sequence_ = 0;
      std::string greeting =
          "\x0a" + std::string(version) + '\0' + std::string("\1\0\0\0", 4) + "abcdefgh" + '\0';
      greeting += static_cast<char>(capabilities);
      greeting += static_cast<char>(capabilities >> 8);
      greeting += std::string("\x2d\2\0", 3);
      greeting += static_cast<char>(capabilities >> 16);
      greeting += static_cast<char>(capabilities >> 24);
      greeting += '\x15' + std::string(10, '\0') + "ijklmnopqrst" + '\0' + std::string(method) + '\0';
      Send(greeting);
    }
    void AskForMethod(std::string_view method, std::string_view data = "abcdefghijklmnopqrst") {
      Send('\xfe' + std::string(method) + '\0' + std::string(data) + '\0');
    }
    void Ok() { Send(std::string("\0\0\0\2\0\0\0", 7)); }
    void End() { Send(std::string("\xfe\0\0\2\0", 5)); }
    void Error(uint16_t number, std::string_view text) {
      Send(std::string("\xff") + static_cast<char>(number) + static_cast<char>(number >> 8) + "#HY000" +
           std::string(text));
    }
    static std::string Text(std::string_view text) {
      return static_cast<char>(text.size()) + std::string(text);
    }
    void SendRows(const std::vector<std::string>& names, const std::vector<std::vector<std::string>>& rows) {
      Send(std::string(1, static_cast<char>(names.size())));
      for (const std::string& name : names) {
        Send(Text("def") + Text("") + Text("") + Text("") + Text(name) + Text("") +
             std::string("\x0c\x2d\0\xff\0\0\0\xfd\0\0\0\0\0", 13));
      }
      End();
      for (const auto& row : rows) {
        std::string packet;
        for (const std::string& value : row) packet += Text(value);
        Send(packet);
      }
      End();
    }
    // From the greeting to the end of the connection; `answer` gets each statement that is not of the set-up.
    void Serve(const std::function<void(Client&, const std::string& sql)>& answer,
               std::string_view version = "9.7.0") {
      Greet("mysql_native_password", 0, version);
      if (!Receive()) return;
      Ok();
      while (const std::optional<std::string> command = Receive()) {
        const std::string sql = command->empty() ? "" : command->substr(1);
        if (command->starts_with('\x01')) return;  // COM_QUIT
        if (sql.starts_with("SET ")) {
          Ok();
        } else if (sql.starts_with("SHOW SESSION VARIABLES")) {
          SendRows({"Variable_name", "Value"}, {{"sql_select_limit", "18446744073709551615"}});
        } else {
          answer(*this, sql);
        }
      }
    }

   private:
    std::optional<std::string> Take(size_t size) {
      std::string bytes;
      while (bytes.size() < size) {
        pollfd readable{socket_, POLLIN, 0};
        if (server_->over_) return std::nullopt;
        if (poll(&readable, 1, 20) == 0) continue;
        char buffer[4096];
        const ssize_t read = recv(socket_, buffer, std::min(sizeof(buffer), size - bytes.size()), 0);
        if (read <= 0) return std::nullopt;
        bytes.append(buffer, static_cast<size_t>(read));
        server_->Keep({buffer, static_cast<size_t>(read)});
      }
      return bytes;
    }

    LyingServer* server_;
    int socket_;
    uint8_t sequence_ = 0;
    std::function<std::string(std::string)> alter_;
  };

  explicit LyingServer(std::function<void(Client&)> script, int backlog = 16) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, backlog) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no free port");
    }
    port_ = ntohs(address.sin_port);
    if (script_) acceptor_ = std::thread([this] { Accept(); });
  }
  ~LyingServer() {
    over_ = true;
    if (acceptor_.joinable()) acceptor_.join();
    for (std::thread& client : clients_) client.join();
    close(listener_);
  }
  LyingServer(const LyingServer&) = delete;
  LyingServer& operator=(const LyingServer&) = delete;

  uint16_t port() const { return port_; }
  std::string received() {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  // For scripts that wait without reading.
  bool over() const { return over_; }

 private:
  void Accept() {
    while (!over_) {
      pollfd readable{listener_, POLLIN, 0};
      if (poll(&readable, 1, 20) <= 0) continue;
      const int accepted = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (accepted < 0) continue;
      clients_.emplace_back([this, accepted] {
        Client client(this, accepted);
        script_(client);
        close(accepted);
      });
    }
  }
  void Keep(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    received_ += bytes;
  }

  std::function<void(Client&)> script_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> over_{false};
  std::thread acceptor_;
  std::vector<std::thread> clients_;
  std::mutex mutex_;
  std::string received_;
};

}  // namespace hakobu::testing
