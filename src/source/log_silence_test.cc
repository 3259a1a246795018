#include "source/log_silence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/connections.h"

namespace hakobu {
namespace {

using testing::MysqlServer;

LogState Whole() {
  LogState state;
  state.log_on = true;
  state.format = "ROW";
  state.row_image = "FULL";
  return state;
}

std::vector<std::string> Whats(const LogState& state) {
  std::vector<std::string> whats;
  for (const LogSilence& silence : SilencesOf(state, {"crm", "shop"})) {
    EXPECT_FALSE(silence.hint.empty());
    whats.push_back(silence.what);
  }
  return whats;
}

TEST(LogSilence, ALogThatSaysEverythingIsNot) {
  EXPECT_TRUE(Whats(Whole()).empty());
  LogState state = Whole();
  state.logs_what_it_replicates = false;  // the default of a MariaDB that is no replica
  EXPECT_TRUE(Whats(state).empty());
  state = Whole();
  state.replica = true;
  EXPECT_TRUE(Whats(state).empty());
  state.only_databases = {"shop", "crm", "other"};
  state.ignored_databases = {"logs"};
  EXPECT_TRUE(Whats(state).empty());
  EXPECT_EQ(FilteredStatements(state, {"crm", "shop"}).size(), 2u);  // but of DDL it may
  EXPECT_TRUE(FilteredStatements(Whole(), {"crm", "shop"}).empty());
}

TEST(LogSilence, EachReasonIsNamedAndAllAtOnce) {
  LogState state = Whole();
  state.format = "MIXED";
  state.row_image = "MINIMAL";
  state.replica = true;
  state.logs_what_it_replicates = false;
  state.only_databases = {"shop"};
  state.ignored_databases = {"shop"};
  EXPECT_THAT(Whats(state),
              ::testing::ElementsAre("binlog_format: expected ROW, found MIXED",
                                     "binlog_row_image: expected FULL, found MINIMAL",
                                     "the source is a replica that does not log what it replicates",
                                     "binlog_do_db: crm is not among what the source logs (shop)",
                                     "binlog_ignore_db: the source does not log shop"));
  state.log_on = false;
  EXPECT_THAT(Whats(state), ::testing::ElementsAre("the source writes no binary log"));
}

class CascadesTest : public ::testing::TestWithParam<std::string> {
 protected:
  MysqlServer& server_ = MysqlServer::Shared(GetParam());
};

TEST_P(CascadesTest, AreNamedWhereTheServerDoesNotLogThem) {
  server_.Execute(
      "DROP DATABASE IF EXISTS cascades; CREATE DATABASE cascades; USE cascades;"
      "CREATE TABLE p (id INT PRIMARY KEY) ENGINE=InnoDB;"
      "CREATE TABLE plain (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id)) ENGINE=InnoDB;"
      "CREATE TABLE gone (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE) "
      "ENGINE=InnoDB;"
      "CREATE TABLE emptied (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL "
      "ON "
      "UPDATE CASCADE) ENGINE=InnoDB");
  const auto connection = Connect(server_);
  const auto cascades = ReadUnloggedCascades(connection.get(), {"cascades"});
  ASSERT_TRUE(cascades.ok()) << cascades.status();
  std::map<std::string, std::string> expected;
  if (server_.mariadb()) {
    expected = {{"cascades.gone", "ON DELETE CASCADE of cascades.p"},
                {"cascades.emptied", "ON DELETE SET NULL and ON UPDATE CASCADE of cascades.p"}};
  }
  EXPECT_EQ(*cascades, expected);
}

INSTANTIATE_WITH_SERVERS(CascadesTest);

}  // namespace
}  // namespace hakobu
