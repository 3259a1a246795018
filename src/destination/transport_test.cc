// The way to the Storage API: TLS that is verified, and a proxy.
#include "destination/transport.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "destination/rest.h"

namespace hakobu {
namespace {

namespace storage_v1 = google::cloud::bigquery::storage::v1;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Certificates that sign themselves, for one name each.
class Certificates {
 public:
  Certificates() {
    std::string pattern = std::filesystem::temp_directory_path() / "hakobu_tls_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~Certificates() { std::filesystem::remove_all(folder_); }
  // Returns the path without its ending: .pem and .key.
  std::string Make(const std::string& name, const std::string& alternative) const {
    const std::string path = folder_ + "/" + name;
    const std::string command = fmt::format(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN={1} -addext subjectAltName={2} "
        "-keyout {0}.key -out {0}.pem 2>/dev/null",
        path, name, alternative);
    EXPECT_EQ(std::system(command.c_str()), 0);
    return path;
  }

 private:
  std::string folder_;
};

// Makes streams, behind a certificate.
class TlsService final : public storage_v1::BigQueryWrite::Service {
 public:
  explicit TlsService(const std::string& certificate) {
    grpc::SslServerCredentialsOptions tls;
    tls.pem_key_cert_pairs.push_back({ReadText(certificate + ".key"), ReadText(certificate + ".pem")});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(tls), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~TlsService() override { server_->Shutdown(std::chrono::system_clock::now()); }
  grpc::Status CreateWriteStream(grpc::ServerContext*, const storage_v1::CreateWriteStreamRequest*,
                                 storage_v1::WriteStream* response) override {
    ++calls_;
    response->set_name("projects/p/datasets/d/tables/t/streams/s");
    return grpc::Status::OK;
  }
  int calls() const { return calls_; }
  absl::Status Ask(const std::string& ca_file) const {
    StorageWriteOptions options;
    const auto endpoint = Endpoint::At("https://127.0.0.1", fmt::format("https://127.0.0.1:{}", port_));
    EXPECT_TRUE(endpoint.ok()) << endpoint.status();
    options.endpoint = *endpoint;
    options.endpoint.ca_file = ca_file;
    options.credentials = FixedToken("tok");
    options.retry.max_tries = 2;
    options.retry.first_delay = absl::Milliseconds(1);
    StorageWrite service(options);
    return service.CreateStream({"p", "d", "t"}, StreamType::kPending).status();
  }

 private:
  int port_ = 0;
  std::atomic<int> calls_{0};
  std::unique_ptr<grpc::Server> server_;
};

TEST(StorageTls, ACertificateIsTrustedByItsAuthorityAndName) {
  const Certificates certificates;
  const std::string own = certificates.Make("own", "IP:127.0.0.1");
  TlsService service(own);
  EXPECT_FALSE(service.Ask("").ok());  // signs itself: nobody's authority
  EXPECT_FALSE(service.Ask(certificates.Make("another", "IP:127.0.0.1") + ".pem").ok());
  EXPECT_EQ(service.calls(), 0);
  const absl::Status trusted = service.Ask(own + ".pem");
  EXPECT_TRUE(trusted.ok()) << trusted;
  EXPECT_EQ(service.calls(), 1);

  const std::string other_name = certificates.Make("elsewhere", "DNS:elsewhere.example");
  TlsService elsewhere(other_name);
  EXPECT_FALSE(elsewhere.Ask(other_name + ".pem").ok());
  EXPECT_EQ(elsewhere.calls(), 0);
}

TEST(StorageTls, AFileOfAuthoritiesThatCannotBeReadTrustsNobody) {
  const Certificates certificates;
  TlsService service(certificates.Make("own", "IP:127.0.0.1"));
  EXPECT_FALSE(service.Ask("/nonexistent/ca.pem").ok());
  EXPECT_EQ(service.calls(), 0);
}

// Accepts one connection and keeps the first line that it is sent.
class FirstLine {
 public:
  FirstLine() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      const int connection = accept(listener_, nullptr, nullptr);
      char text[200] = {};
      const ssize_t got = connection < 0 ? 0 : recv(connection, text, sizeof(text) - 1, 0);
      line_ = std::string(text, got > 0 ? static_cast<size_t>(got) : 0);
      line_ = line_.substr(0, line_.find('\r'));
      if (connection >= 0) close(connection);
    });
  }
  ~FirstLine() {
    if (thread_.joinable()) Take();
    close(listener_);
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
  std::string Take() {
    shutdown(listener_, 0);
    thread_.join();
    return line_;
  }
  std::string Wait() {
    thread_.join();
    return line_;
  }

 private:
  int listener_ = -1;
  int port_ = 0;
  std::string line_;
  std::thread thread_;
};

TEST(Proxy, BothRestAndStorageGoThroughIt) {
  FirstLine for_storage;
  StorageWriteOptions storage;
  storage.endpoint.grpc = "bigquerystorage.example:443";
  storage.endpoint.proxy = for_storage.url();
  storage.retry.max_tries = 1;
  storage.timeout = absl::Seconds(20);
  StorageWrite service(storage);
  EXPECT_FALSE(service.CreateStream({"p", "d", "t"}, StreamType::kPending).ok());
  EXPECT_THAT(for_storage.Wait(), StartsWith("CONNECT bigquerystorage.example:443 HTTP/1"));

  FirstLine for_rest;
  RestOptions options;
  options.endpoint.rest = "https://bigquery.example";
  options.endpoint.proxy = for_rest.url();
  options.retry.max_tries = 1;
  Rest rest(options);
  EXPECT_FALSE(GetDataset(rest, {"p", "d"}).ok());
  EXPECT_THAT(for_rest.Wait(), StartsWith("CONNECT bigquery.example:443 HTTP/1"));
}

TEST(Endpoint, BothAddressesAreCheckedByOneRule) {
  EXPECT_TRUE(Endpoint::At("http://127.0.0.1:9050", "127.0.0.1:9060").ok());
  EXPECT_TRUE(Endpoint::At("http://127.0.0.1:9050", "127.0.0.1:9060")->grpc_insecure);
  const auto regional = Endpoint::At("https://bigquery.europe-west3.rep.googleapis.com",
                                     "https://bigquerystorage.europe-west3.rep.googleapis.com");
  ASSERT_TRUE(regional.ok()) << regional.status();
  EXPECT_FALSE(regional->grpc_insecure);
  for (const auto& [rest, grpc] : {std::pair("http://127.0.0.1:9050", "remote.example:9060"),
                                   {"http://127.0.0.1:9050", "10.0.0.5:9060"},
                                   {"http://remote.example:9050", "127.0.0.1:9060"},
                                   {"https://user:word@h.example", "127.0.0.1:9060"},
                                   {"https://h.example/path", "127.0.0.1:9060"},
                                   {"http://127.0.0.1:9050", "http://remote.example:1"}}) {
    EXPECT_EQ(Endpoint::At(rest, grpc).status().code(), absl::StatusCode::kInvalidArgument)
        << rest << " " << grpc;
  }
}

}  // namespace
}  // namespace hakobu
