#include "source/session.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/harness/connections.h"

namespace hakobu {
namespace {

using testing::MysqlServer;

struct Hostile {
  std::string_view name;
  std::string_view value;  // as SET GLOBAL wants it
};

// One for every pinned variable that a server has a global value of.
constexpr Hostile kHostile[] = {
    {"sql_select_limit", "3"},
    {"max_join_size", "10"},
    {"sql_big_selects", "OFF"},
    {"sql_auto_is_null", "ON"},
    {"system_versioning_asof", "'2001-01-01 00:00:00'"},
    {"use_secondary_engine", "FORCED"},
    {"wsrep_dirty_reads", "ON"},
    {"max_recursive_iterations", "1"},
    {"cte_max_recursion_depth", "1"},
    {"autocommit", "OFF"},
    {"completion_type", "'CHAIN'"},
    {"transaction_isolation", "'SERIALIZABLE'"},
    {"tx_isolation", "'READ-UNCOMMITTED'"},
    {"transaction_read_only", "OFF"},
    {"tx_read_only", "OFF"},
    {"query_cache_type", "ON"},
    {"time_zone", "'+09:00'"},
    {"sql_mode", "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH'"},
    {"old_mode", "'UTF8_IS_UTF8MB3,ZERO_DATE_TIME_CAST'"},
    {"character_set_client", "latin1"},
    {"character_set_connection", "latin1"},
    {"collation_connection", "latin1_bin"},
    {"character_set_results", "latin1"},
    {"div_precision_increment", "0"},
    {"default_week_format", "3"},
    {"lc_time_names", "'ja_JP'"},
    {"lc_messages", "'ja_JP'"},
    {"block_encryption_mode", "'aes-256-cbc'"},
    {"default_regex_flags", "'EXTENDED'"},
    {"windowing_use_high_precision", "OFF"},
    {"group_concat_max_len", "4"},
    {"max_sort_length", "64"},
    {"information_schema_stats_expiry", "86400"},
    {"show_gipk_in_create_table_and_information_schema", "OFF"},
    {"terminology_use_previous", "'BEFORE_8_0_26'"},
    {"sql_quote_show_create", "OFF"},
    {"range_optimizer_max_mem_size", "1"},
    {"optimizer_max_sel_arg_weight", "1"},
    {"optimizer_max_sel_args", "1"},
    {"sql_buffer_result", "ON"},
    {"tmp_disk_table_size", "1024"},
    {"parser_max_mem_size", "10000000"},
    {"max_session_mem_used", "10000000"},
    {"max_execution_time", "1"},
    {"max_statement_time", "0.5"},
    {"lock_wait_timeout", "1"},
    {"net_read_timeout", "1"},
    {"net_write_timeout", "1"},
    {"wait_timeout", "1"},
    {"interactive_timeout", "1"},
    {"idle_transaction_timeout", "1"},
    {"idle_readonly_transaction_timeout", "1"},
};

using Values = std::map<std::string, std::string>;

Values Read(Connection* connection, std::string_view scope) {
  Values values;
  for (const std::string_view name : PinnedVariables()) {
    const auto result = connection->Query(fmt::format("SHOW {} VARIABLES LIKE '{}'", scope, name), 2);
    if (!result.ok()) throw std::runtime_error(result.status().ToString());
    for (const auto& row : result->rows) values[std::string(name)] = row[1].value_or("");
  }
  return values;
}

class SessionTest : public ::testing::TestWithParam<std::string> {
 protected:
  MysqlServer& server_ = MysqlServer::Shared(GetParam());
};

TEST_P(SessionTest, NoGlobalOfTheServerReachesASession) {
  const auto before = Connect(server_);
  const Values pinned = Read(before.get(), "SESSION");
  const Values globals = Read(before.get(), "GLOBAL");
  std::string hostile, restore;
  size_t known = 0;
  for (const Hostile& each : kHostile) {
    const auto found = globals.find(std::string(each.name));
    if (found == globals.end()) continue;
    ++known;
    const bool bare =
        each.name == "system_versioning_asof" || each.value.find('\'') == std::string_view::npos;
    hostile += fmt::format("SET GLOBAL {} = {};", each.name, each.value);
    restore += fmt::format("SET GLOBAL {} = {};", each.name, bare ? found->second : QuoteText(found->second));
  }
  // What has no hostile value above would be pinned without a test.
  EXPECT_EQ(known, globals.size());
  server_.Execute(hostile);
  const auto connection = Connection::Open(Root(server_));
  const Values hostile_globals = Read(before.get(), "GLOBAL");
  server_.Execute(restore);
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_EQ(Read(connection->get(), "SESSION"), pinned);
  for (const Hostile& each : kHostile) {
    const auto found = hostile_globals.find(std::string(each.name));
    if (found == hostile_globals.end()) continue;
    EXPECT_NE(found->second, pinned.at(std::string(each.name))) << each.name << " is not hostile";
  }
}

TEST_P(SessionTest, AllRowsComeWhateverLimitTheServerHas) {
  server_.Execute(
      "CREATE DATABASE IF NOT EXISTS session_test; CREATE TABLE IF NOT EXISTS session_test.t (id INT PRIMARY "
      "KEY);"
      "REPLACE INTO session_test.t VALUES (1), (2), (3), (4), (5), (6);"
      "SET GLOBAL sql_select_limit = 2, max_join_size = 1");
  const auto connection = Connection::Open(Root(server_));
  server_.Execute("SET GLOBAL sql_select_limit = 18446744073709551615, max_join_size = 18446744073709551615");
  ASSERT_TRUE(connection.ok()) << connection.status();
  const auto rows = (*connection)->Query("SELECT a.id FROM session_test.t a, session_test.t b");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->rows.size(), 36u);
}

TEST_P(SessionTest, ATimeoutOfZeroMeansNever) {
  const bool mariadb = server_.mariadb();
  const std::string name = mariadb ? "max_statement_time" : "max_execution_time";
  server_.Execute(fmt::format("SET GLOBAL {} = {}", name, mariadb ? "0.05" : "50"));
  const auto connection = Connection::Open(Root(server_));
  server_.Execute(fmt::format("SET GLOBAL {} = 0", name));
  ASSERT_TRUE(connection.ok()) << connection.status();
  const auto slept = (*connection)->QueryValue("SELECT SLEEP(0.3) FROM (SELECT 1) one");
  ASSERT_TRUE(slept.ok()) << slept.status();
  EXPECT_EQ(*slept, "0");  // 1: it was ended
}

INSTANTIATE_WITH_SERVERS(SessionTest);

}  // namespace
}  // namespace hakobu
