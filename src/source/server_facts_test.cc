#include "source/server_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/connections.h"

namespace hakobu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MysqlServer;

Privileges Parse(const std::vector<std::string>& lines) {
  Privileges privileges;
  for (const std::string& line : lines) {
    if (auto grant = ParseGrant(line)) privileges.grants.push_back(*std::move(grant));
  }
  return privileges;
}

TEST(ParseGrant, ReadsWhatServersWrite) {
  const auto grant = ParseGrant("GRANT SELECT, REPLICATION SLAVE ON *.* TO `u`@`%` WITH GRANT OPTION");
  ASSERT_TRUE(grant.has_value());
  EXPECT_THAT(grant->names, ElementsAre("SELECT", "REPLICATION SLAVE"));
  EXPECT_EQ(grant->database, "*");
  EXPECT_TRUE(grant->grant_option);
  const auto columns = ParseGrant("GRANT SELECT (`a`, `b`), INSERT ON `sh``op`.`t` TO `u`@`%`");
  ASSERT_TRUE(columns.has_value());
  EXPECT_THAT(columns->names, ElementsAre("SELECT", "INSERT"));
  EXPECT_EQ(columns->database, "sh`op");
  EXPECT_EQ(columns->table, "t");
  EXPECT_FALSE(ParseGrant("GRANT `role`@`%` TO `u`@`%`").has_value());
  EXPECT_FALSE(ParseGrant("GRANT PROXY ON ''@'' TO 'root'@'localhost' WITH GRANT OPTION").has_value());
}

TEST(CheckPrivileges, FindsMissingAndExcessive) {
  const auto exact = CheckPrivileges(Parse({"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `u`@`%`",
                                            "GRANT SELECT ON `shop\\_%`.* TO `u`@`%`"}),
                                     {"shop_1", "shop_2"}, true);
  EXPECT_THAT(exact.missing, IsEmpty());
  EXPECT_THAT(exact.excessive, IsEmpty());
  const auto less =
      CheckPrivileges(Parse({"GRANT USAGE ON *.* TO `u`@`%`", "GRANT SELECT ON `shop`.* TO `u`@`%`"}),
                      {"shop", "other"}, true);
  EXPECT_THAT(less.missing, ElementsAre(HasSubstr("GRANT SELECT ON `other`.*"),
                                        HasSubstr("REPLICATION CLIENT"), HasSubstr("REPLICATION SLAVE")));
  const auto more = CheckPrivileges(Parse({"GRANT ALL PRIVILEGES ON *.* TO `u`@`%`"}), {"shop"}, false);
  EXPECT_THAT(more.missing, IsEmpty());
  EXPECT_THAT(more.excessive, ElementsAre("ALL PRIVILEGES on *.*"));
}

class ServerFactsTest : public ::testing::TestWithParam<std::string> {
 protected:
  MysqlServer& server_ = MysqlServer::Shared(GetParam());
};

TEST_P(ServerFactsTest, ReadsSettingsAndRolePrivileges) {
  const std::string role = server_.mariadb() ? "SET DEFAULT ROLE lector FOR 'facts'@'%'"
                                             : "SET DEFAULT ROLE lector TO 'facts'@'%'";
  server_.Execute(
      "CREATE DATABASE IF NOT EXISTS facts_test; CREATE ROLE IF NOT EXISTS lector; GRANT SELECT ON "
      "facts_test.* TO "
      "lector; CREATE USER IF NOT EXISTS 'facts'@'%' IDENTIFIED BY 'pw'; GRANT lector TO 'facts'@'%'; GRANT "
      "REPLICATION CLIENT ON *.* TO 'facts'@'%'; " +
      role);
  ConnectOptions options;
  options.port = server_.port();
  options.user = "facts";
  options.password = "pw";
  auto connection = Connection::Open(options);
  ASSERT_TRUE(connection.ok()) << connection.status();
  const auto facts = ReadServerFacts(connection->get());
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->Setting("binlog_format"), "ROW");
  EXPECT_EQ(facts->Setting("log_bin"), "ON");
  EXPECT_FALSE(facts->server_uuid.empty());
  EXPECT_EQ(facts->Setting("no_such_setting"), "");
  const auto report = CheckPrivileges(facts->privileges, {"facts_test"}, false);
  EXPECT_THAT(report.missing, IsEmpty());
  EXPECT_THAT(report.excessive, IsEmpty());
}

TEST_P(ServerFactsTest, ReadsTheLogPosition) {
  auto connection = Connect(server_);
  const auto before = ReadLogPoint(connection.get());
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_THAT(before->file, HasSubstr("binlog."));
  EXPECT_GT(before->offset, 0u);
  server_.Execute("CREATE DATABASE IF NOT EXISTS position_test; DROP DATABASE position_test");
  const auto after = ReadLogPoint(connection.get());
  EXPECT_GT(after->offset, before->offset);
  EXPECT_NE(after->gtid_set, before->gtid_set);
  server_.Execute("CREATE USER IF NOT EXISTS 'plain'@'%' IDENTIFIED BY 'pw'");
  ConnectOptions options;
  options.port = server_.port();
  options.user = "plain";
  options.password = "pw";
  auto plain = Connection::Open(options);
  ASSERT_TRUE(plain.ok()) << plain.status();
  std::string why_unknown;
  const auto unknown = ReadLogPoint(plain->get(), &why_unknown);
  ASSERT_TRUE(unknown.ok()) << unknown.status();
  EXPECT_FALSE(unknown->known());
  EXPECT_THAT(why_unknown, HasSubstr("REPLICATION CLIENT"));
}

TEST_P(ServerFactsTest, SeesTheOldestOpenTransaction) {
  server_.Execute("CREATE DATABASE IF NOT EXISTS open_test; CREATE TABLE IF NOT EXISTS open_test.t (a INT)");
  MYSQL* writer = mysql_init(nullptr);
  ASSERT_NE(mysql_real_connect(writer, nullptr, "root", "", "open_test", 0, server_.socket().c_str(), 0),
            nullptr);
  ASSERT_EQ(mysql_query(writer, "BEGIN"), 0);
  ASSERT_EQ(mysql_query(writer, "INSERT INTO t VALUES (1)"), 0);
  auto connection = Connect(server_);
  const auto open = ReadOpenTransactions(connection.get());
  mysql_query(writer, "ROLLBACK");
  mysql_close(writer);
  ASSERT_TRUE(open.ok()) << open.status();
  ASSERT_TRUE(open->oldest_start.has_value());
  EXPECT_LT(absl::AbsDuration(open->now - *open->oldest_start), absl::Seconds(30));
  EXPECT_LT(absl::AbsDuration(open->now - absl::Now()), absl::Seconds(30));
  EXPECT_LE(open->SafeBound(), *open->oldest_start);
  absl::SleepFor(absl::Milliseconds(300));  // the server's picture is up to 0.1 s old
  const auto closed = ReadOpenTransactions(connection.get());
  EXPECT_FALSE(closed->oldest_start.has_value());
}

INSTANTIATE_WITH_SERVERS(ServerFactsTest);

}  // namespace
}  // namespace hakobu
