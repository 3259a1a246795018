// TLS against real servers with certificates of a CA made here.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "source/chunk_reader.h"
#include "source/connection.h"
#include "source/schema.h"
#include "tests/harness/mysql_server.h"

namespace hakobu {
namespace {

using ::testing::HasSubstr;
using testing::MysqlServer;

void Shell(const std::string& command) {
  if (std::system((command + " >/dev/null 2>&1").c_str()) != 0)
    throw std::runtime_error("failed: " + command);
}

// A CA, a server certificate for `localhost` (not for 127.0.0.1) and a client certificate.
class Certificates {
 public:
  Certificates() {
    char folder[] = "/tmp/hakobu-tls-XXXXXX";
    if (mkdtemp(folder) == nullptr) throw std::runtime_error("mkdtemp failed");
    folder_ = folder;
    for (const char* ca : {"ca", "other"}) {
      Shell(fmt::format(
          "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test-{1} -keyout {0}/{1}.key "
          "-out {0}/{1}.pem",
          folder_, ca));
    }
    for (const char* name : {"localhost", "client"}) {
      Shell(fmt::format(
          "openssl req -newkey rsa:2048 -nodes -subj /CN={1} -keyout {0}/{1}.key -out {0}/{1}.csr", folder_,
          name));
      Shell(fmt::format(
          "printf 'subjectAltName=DNS:{1}' > {0}/{1}.ext && openssl x509 -req -days 30 -in {0}/{1}.csr "
          "-CA {0}/ca.pem -CAkey {0}/ca.key -CAcreateserial -extfile {0}/{1}.ext -out {0}/{1}.pem",
          folder_, name));
    }
  }
  ~Certificates() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

 private:
  std::string folder_;
};

class TlsTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    certificates_ = std::make_unique<Certificates>();
    for (const char* flavor : {"mysql", "mariadb"}) {
      auto server = std::make_unique<MysqlServer>(
          flavor, std::vector<std::string>{"--ssl-ca=" + certificates_->Path("ca.pem"),
                                           "--ssl-cert=" + certificates_->Path("localhost.pem"),
                                           "--ssl-key=" + certificates_->Path("localhost.key")});
      server->Execute(
          "CREATE USER 'secure'@'%' IDENTIFIED BY 'pw'; CREATE USER 'mutual'@'%' IDENTIFIED BY 'pw' REQUIRE "
          "X509");
      servers_.push_back(std::move(server));
    }
  }
  static void TearDownTestSuite() {
    servers_.clear();
    certificates_.reset();
  }
  ConnectOptions Options(TlsMode mode, const std::string& ca = {}) const {
    ConnectOptions options;
    options.host = "127.0.0.1";
    options.port = servers_[GetParam() == "mysql" ? 0 : 1]->port();
    options.user = "secure";
    options.password = "pw";
    options.tls.mode = mode;
    if (!ca.empty()) options.tls.ca_file = certificates_->Path(ca);
    return options;
  }

  static std::unique_ptr<Certificates> certificates_;
  static std::vector<std::unique_ptr<MysqlServer>> servers_;
};
std::unique_ptr<Certificates> TlsTest::certificates_;
std::vector<std::unique_ptr<MysqlServer>> TlsTest::servers_;

TEST_P(TlsTest, EncryptsOnlyWhenAsked) {
  auto plain = Connection::Open(Options(TlsMode::kOff));
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_EQ((*plain)->tls_cipher(), "");
  auto encrypted = Connection::Open(Options(TlsMode::kRequire));
  ASSERT_TRUE(encrypted.ok()) << encrypted.status();
  EXPECT_NE((*encrypted)->tls_cipher(), "");
  EXPECT_EQ(*(*encrypted)->QueryValue("SELECT REPEAT('x', 1000000)"), std::string(1'000'000, 'x'));
}

// 20 MB: rows over many records and blocks, one of them larger than a packet may be. Read plain, encrypted,
// and encrypted and compressed.
TEST_P(TlsTest, RowsArriveWhole) {
  MysqlServer& server = *servers_[GetParam() == "mysql" ? 0 : 1];
  server.Execute(
      "CREATE DATABASE IF NOT EXISTS tls_rows; USE tls_rows; DROP TABLE IF EXISTS t; CREATE TABLE t (id INT "
      "PRIMARY "
      "KEY AUTO_INCREMENT, v LONGTEXT); SET GLOBAL max_allowed_packet = 67108864; INSERT INTO t (v) VALUES "
      "(REPEAT('a', 700)), (REPEAT('b', 70000)), (REPEAT('c', 1)), (NULL);"
      "INSERT INTO t (v) SELECT v FROM t; INSERT INTO t (v) SELECT v FROM t; INSERT INTO t (v) SELECT v FROM "
      "t;");
  server.Execute(
      "GRANT SELECT ON tls_rows.* TO secure; INSERT INTO tls_rows.t (v) VALUES (REPEAT('d', 17000000))");
  for (const auto& [mode, compression] : {std::pair(TlsMode::kOff, WireCompression::kNone),
                                          std::pair(TlsMode::kRequire, WireCompression::kNone),
                                          std::pair(TlsMode::kRequire, WireCompression::kZlib)}) {
    ConnectOptions options = Options(mode);
    options.compression = compression;
    auto connection = Connection::Open(options);
    ASSERT_TRUE(connection.ok()) << connection.status();
    const auto table = ReadTable(connection->get(), "tls_rows", "t");
    ASSERT_TRUE(table.ok()) << table.status();
    ChunkReader reader(connection->get(), &*table, {1});
    for (int round = 0; round < 2; ++round) {
      ASSERT_TRUE(reader.Open({}).ok()) << reader.status();
      std::map<std::string, int> seen;  // "letter size"
      std::string_view packet;
      while (reader.Next(&packet)) {
        const std::string_view value = packet.size() < 3 ? "" : packet.substr(packet.find_first_of("abcd"));
        ASSERT_EQ(value.find_first_not_of(value.empty() ? 'x' : value.front()), std::string_view::npos);
        ++seen[value.empty() ? "null" : std::string(1, value.front()) + " " + std::to_string(value.size())];
        if (reader.rows() % 5 == 0) reader.Release();
      }
      ASSERT_TRUE(reader.status().ok()) << reader.status();
      EXPECT_EQ(seen, (std::map<std::string, int>{
                          {"a 700", 8}, {"b 70000", 8}, {"c 1", 8}, {"null", 8}, {"d 17000000", 1}}));
    }
    EXPECT_EQ(*(*connection)->QueryValue("SELECT 7"), "7");
  }
}

TEST_P(TlsTest, VerifiesTheAuthority) {
  const auto right = Connection::Open(Options(TlsMode::kVerifyCa, "ca.pem"));
  EXPECT_TRUE(right.ok()) << right.status();
  const auto wrong = Connection::Open(Options(TlsMode::kVerifyCa, "other.pem"));
  EXPECT_EQ(wrong.status().code(), absl::StatusCode::kUnauthenticated) << wrong.status();
  EXPECT_THAT(std::string(wrong.status().message()), HasSubstr("hint: check tls.ca"));
  const auto absent = Connection::Open(Options(TlsMode::kVerifyCa, "no-such.pem"));
  EXPECT_EQ(absent.status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(absent.status().message()), HasSubstr("no-such.pem"));
  EXPECT_EQ(Connection::Open(Options(TlsMode::kVerifyCa)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(TlsTest, VerifiesTheHostsName) {
  ConnectOptions options = Options(TlsMode::kVerifyIdentity, "ca.pem");
  const auto other_name = Connection::Open(options);
  EXPECT_EQ(other_name.status().code(), absl::StatusCode::kUnauthenticated) << other_name.status();
  options.host = "localhost";
  const auto right_name = Connection::Open(options);
  EXPECT_TRUE(right_name.ok()) << right_name.status();
  options.tls.ca_file = certificates_->Path("other.pem");
  EXPECT_EQ(Connection::Open(options).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_P(TlsTest, ShowsItsOwnCertificate) {
  ConnectOptions options = Options(TlsMode::kVerifyCa, "ca.pem");
  options.user = "mutual";
  EXPECT_EQ(Connection::Open(options).status().code(), absl::StatusCode::kUnauthenticated);
  options.tls.certificate_file = certificates_->Path("client.pem");
  options.tls.key_file = certificates_->Path("client.key");
  const auto mutual = Connection::Open(options);
  EXPECT_TRUE(mutual.ok()) << mutual.status();
}

INSTANTIATE_TEST_SUITE_P(Servers, TlsTest, ::testing::Values(std::string("mysql"), std::string("mariadb")),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace hakobu
