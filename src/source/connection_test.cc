#include "source/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/harness/connections.h"

namespace hakobu {
namespace {

using ::testing::HasSubstr;
using testing::MysqlServer;
using ::testing::Not;

ConnectOptions Tcp(const MysqlServer& server, std::string user, std::string password) {
  ConnectOptions options;
  options.port = server.port();
  options.user = std::move(user);
  options.password = std::move(password);
  return options;
}

class ConnectionTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    for (const char* flavor : {"mysql", "mariadb"}) {
      MysqlServer::Shared(flavor).Execute(
          "CREATE DATABASE IF NOT EXISTS connection_test;"
          "CREATE USER IF NOT EXISTS 'reader'@'%' IDENTIFIED BY 'p''äss';"
          "GRANT SELECT ON connection_test.* TO 'reader'@'%'");
    }
  }
  MysqlServer& server_ = MysqlServer::Shared(GetParam());
};

TEST_P(ConnectionTest, SetsTheSessionUp) {
  ConnectOptions options = Root(server_);
  options.statement_timeout = absl::Milliseconds(1500);
  options.net_write_timeout = absl::Seconds(77);
  auto connection = Connection::Open(options);
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_EQ((*connection)->flavor(), server_.mariadb() ? ServerFlavor::kMariaDb : ServerFlavor::kMySql);
  EXPECT_GE((*connection)->version_number(), server_.mariadb() ? 101100u : 90700u);
  EXPECT_EQ(*(*connection)->QueryValue("SELECT @@time_zone"), "+00:00");
  EXPECT_EQ(*(*connection)->QueryValue("SELECT @@character_set_results"), "utf8mb4");
  EXPECT_EQ(*(*connection)->QueryValue("SELECT @@net_write_timeout"), "77");
  EXPECT_EQ(*(*connection)->QueryValue("SELECT @@sql_mode"), "");
  if (server_.mariadb()) {
    EXPECT_EQ(*(*connection)->QueryValue("SELECT @@max_statement_time"), "1.500000");
  } else {
    EXPECT_EQ(*(*connection)->QueryValue("SELECT @@max_execution_time"), "1500");
  }
}

TEST_P(ConnectionTest, NeverWrites) {
  auto connection = Connection::Open(Root(server_));
  ASSERT_TRUE(connection.ok()) << connection.status();
  const auto result = (*connection)->Query("CREATE TABLE connection_test.t (a INT)");
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("READ ONLY"));
}

TEST_P(ConnectionTest, LogsInWithAPasswordOverTcp) {
  // zstd last: from then on this process asks for it. MariaDB speaks zlib alone.
  for (const WireCompression compression :
       {WireCompression::kNone, WireCompression::kZlib, WireCompression::kZstd}) {
    ConnectOptions options = Tcp(server_, "reader", "p'äss");
    options.compression = compression;
    auto connection = Connection::Open(options);
    ASSERT_TRUE(connection.ok()) << connection.status();
    const bool is_zstd = compression == WireCompression::kZstd;
    EXPECT_EQ((*connection)->compression(),
              is_zstd && server_.mariadb() ? WireCompression::kZlib : compression);
    EXPECT_EQ(*(*connection)->QueryValue("SELECT REPEAT('x', 100000)"), std::string(100000, 'x'));
  }
}

TEST_P(ConnectionTest, SaysWhatIsWrong) {
  const auto wrong_password = Connection::Open(Tcp(server_, "reader", "secret-7351"));
  EXPECT_EQ(wrong_password.status().code(), absl::StatusCode::kUnauthenticated) << wrong_password.status();
  EXPECT_THAT(std::string(wrong_password.status().message()), HasSubstr("hint: check user and password"));
  EXPECT_THAT(std::string(wrong_password.status().message()), Not(HasSubstr("secret-7351")));

  ConnectOptions no_database = Tcp(server_, "root", "");
  no_database.socket = server_.socket();
  no_database.database = "nowhere";
  EXPECT_EQ(Connection::Open(no_database).status().code(), absl::StatusCode::kNotFound);

  ConnectOptions closed_port = Tcp(server_, "reader", "x");
  closed_port.port = 1;
  const auto unreachable = Connection::Open(closed_port);
  EXPECT_EQ(unreachable.status().code(), absl::StatusCode::kUnavailable) << unreachable.status();
  EXPECT_THAT(std::string(unreachable.status().message()), HasSubstr("127.0.0.1:1"));

  auto reader = Connection::Open(Tcp(server_, "reader", "p'äss"));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->Query("SELECT * FROM mysql.user").status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ((*reader)->Query("SELEKT").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(ConnectionTest, StopsAStatementThatTakesTooLong) {
  ConnectOptions options = Root(server_);
  options.statement_timeout = absl::Milliseconds(200);
  auto connection = Connection::Open(options);
  ASSERT_TRUE(connection.ok()) << connection.status();
  const auto result = (*connection)
                          ->Query(
                              "SELECT COUNT(*) FROM information_schema.COLUMNS a, information_schema.COLUMNS "
                              "b, information_schema.COLUMNS c");
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded) << result.status();
}

TEST_P(ConnectionTest, InterruptEndsABlockedCall) {
  auto connection = Connection::Open(Root(server_));
  ASSERT_TRUE(connection.ok()) << connection.status();
  std::thread interrupter([&connection] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    (*connection)->Interrupt();
  });
  const absl::Time begin = absl::Now();
  const auto result = (*connection)->Query("SELECT SLEEP(30)");
  interrupter.join();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kCancelled) << result.status();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(10));
}

INSTANTIATE_WITH_SERVERS(ConnectionTest);

TEST(Quoting, SurvivesWhatItQuotes) {
  EXPECT_EQ(QuoteIdentifier("a`b"), "`a``b`");
  EXPECT_EQ(QuoteText("it's \\"), "'it\\'s \\\\'");
}

}  // namespace
}  // namespace hakobu
