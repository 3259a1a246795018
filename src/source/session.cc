#include "source/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"

namespace hakobu {
namespace {

struct Pin {
  std::string_view name;
  std::string_view value;  // as SHOW VARIABLES writes it; with a `$`, what PinValue puts there
  std::string_view why;
};

constexpr std::string_view kNoLimit = "18446744073709551615";

// Every variable with a session value of MySQL 5.6, 5.7, 8.0, 8.4, 9.7 and MariaDB 10.5 to 11 was judged:
// what can cut, filter, alter or end a SELECT, a SHOW or the log's stream is here. A server is only asked to
// set what it has and what differs, so a version that does not know a name, or no longer allows to set it, is
// no trouble unless it matters there. Left alone:
// - what only writes and locking reads obey (foreign_key_checks, binlog_*, sql_safe_updates, unique_checks,
//   low_priority_updates, innodb_lock_wait_timeout, innodb_snapshot_isolation …);
// - what decides how a statement is executed but not its rows (optimizer_switch, *_buffer_size, big_tables,
//   eq_range_index_dive_limit …; plans are looked at by EXPLAIN);
// - what only logs, traces or tells more (long_query_time, profiling, optimizer_trace, session_track_*);
// - what ends a statement with an error that names it and is not the session's to raise
//   (connection_memory_limit, max_allowed_packet);
// - timestamp and rand_seed, which have no global value.
constexpr Pin kPins[] = {
    // How many rows come.
    {"sql_select_limit", kNoLimit, "cuts every SELECT without a LIMIT, silently"},
    {"max_join_size", kNoLimit,
     "refuses a SELECT that examines more rows; read together with sql_big_selects"},
    {"sql_big_selects", "ON", "as max_join_size"},
    {"sql_auto_is_null", "OFF", "`id IS NULL` finds the last inserted row"},
    {"system_versioning_asof", "DEFAULT", "MariaDB: rows of another time"},
    {"use_secondary_engine", "OFF", "MySQL: rows of a replica in another engine, which may lag"},
    {"wsrep_dirty_reads", "OFF", "Galera: a node that lost its cluster answers with old rows"},
    {"max_recursive_iterations", "4294967295", "MariaDB cuts a recursive CTE of a `where`, silently"},
    {"cte_max_recursion_depth", "4294967295", "MySQL ends a recursive CTE of a `where`"},
    {"autocommit", "ON", "one read view for the connection's life: old rows, and undo that cannot be purged"},
    {"completion_type", "NO_CHAIN", "a COMMIT opens the next transaction, or closes the connection"},
    {"transaction_isolation", "REPEATABLE-READ", "dirty reads, or reads that lock (SERIALIZABLE)"},
    {"tx_isolation", "REPEATABLE-READ", "the same: MySQL before 8.0, MariaDB before 11.1"},
    {"transaction_read_only", "ON", "the source is only read"},
    {"tx_read_only", "ON", "the same: MySQL before 8.0, MariaDB before 11.1"},
    {"query_cache_type", "OFF", "a large result in the query cache puts out everybody else's"},
    // What values are.
    {"time_zone", "+00:00", "TIMESTAMP is written in it; a `where` compares in it"},
    {"sql_mode", "", "what is a string, an operator, an error, a NULL"},
    {"old_mode", "", "MariaDB: what utf8 is, how TIME is cast"},
    {"character_set_client", "utf8mb4", "what a statement's bytes mean"},
    {"character_set_connection", "utf8mb4", "what literals become"},
    {"collation_connection", "utf8mb4_general_ci", "how literals compare with each other"},
    {"character_set_collations", "", "MariaDB 11: the collation that CONVERT and literals get"},
    {"character_set_results", "utf8mb4",
     "what it does not hold arrives as `?`; NULL: each column in its own"},
    {"div_precision_increment", "4", "digits after a division"},
    {"default_week_format", "0", "WEEK()"},
    {"lc_time_names", "en_US", "DATE_FORMAT(), MONTHNAME()"},
    {"block_encryption_mode", "aes-128-ecb", "AES_DECRYPT()"},
    {"default_regex_flags", "", "MariaDB: REGEXP"},
    {"windowing_use_high_precision", "ON", "sums over windows"},
    {"group_concat_max_len", "1073741824", "cuts GROUP_CONCAT, silently"},
    {"max_sort_length", "1024", "only so many bytes of a value are compared in a sort"},
    {"show_old_temporals", "OFF", "MySQL 5.6 and 5.7: a comment within a column's declared type"},
    // What the server says of its tables.
    {"information_schema_stats_expiry", "0", "figures up to a day old, which 8.0 stores by a write"},
    {"show_gipk_in_create_table_and_information_schema", "ON", "hides a table's generated key"},
    {"terminology_use_previous", "NONE", "other names in what SHOW answers"},
    {"sql_quote_show_create", "ON", "names without quotes in SHOW CREATE TABLE"},
    {"resultset_metadata", "FULL", "columns without names and types"},
    {"lc_messages", "en_US", "errors of the log's stream are told apart by their text"},
    // Which plans are possible at all.
    {"range_optimizer_max_mem_size", "8388608", "MySQL: beyond it a chunk is read by a scan of the table"},
    {"optimizer_max_sel_arg_weight", "32000", "MariaDB: the same"},
    {"optimizer_max_sel_args", "16000", "MariaDB: the same"},
    {"sql_buffer_result", "OFF", "puts every result into a temporary table first, on disk when it is large"},
    {"tmp_disk_table_size", kNoLimit, "MariaDB: ends what information_schema answers with `table is full`"},
    {"parser_max_mem_size", kNoLimit, "MySQL: ends the parsing of a long statement"},
    {"max_session_mem_used", "9223372036854775807", "MariaDB: ends a statement"},
    // What ends a statement or the connection. Zero is `never` only when it is set.
    {"max_execution_time", "$statement_ms", "MySQL: ends a SELECT"},
    {"max_statement_time", "$statement_s", "MariaDB: ends any statement"},
    {"lock_wait_timeout", "$read_s", "waiting for an ALTER: as long as the answer is waited for here"},
    {"net_read_timeout", "$read_s", "a statement that arrives in two parts"},
    {"net_write_timeout", "$net_write_s", "a reader that waits for BigQuery"},
    {"wait_timeout", "28800", "a connection that waits for BigQuery between two chunks"},
    {"interactive_timeout", "28800", "the same"},
    {"idle_transaction_timeout", "0", "MariaDB: the same within a transaction"},
    {"idle_readonly_transaction_timeout", "0", "MariaDB: the same"},
    {"skip_replication", "OFF", "MariaDB: leaves marked events out of the log's stream"},
};

unsigned int WholeSeconds(absl::Duration duration) {
  return static_cast<unsigned int>(
      std::max<int64_t>(1, absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1)))));
}

std::string PinValue(const Pin& pin, const ConnectOptions& options) {
  if (!pin.value.starts_with('$')) return std::string(pin.value);
  const absl::Duration statement = std::max(options.statement_timeout, absl::ZeroDuration());
  if (pin.value == "$statement_ms")
    return fmt::format("{}", absl::ToInt64Milliseconds(absl::Ceil(statement, absl::Milliseconds(1))));
  if (pin.value == "$statement_s") return fmt::format("{:.3f}", absl::ToDoubleSeconds(statement));
  if (pin.value == "$net_write_s") return fmt::format("{}", WholeSeconds(options.net_write_timeout));
  return fmt::format("{}", WholeSeconds(options.read_timeout));
}

std::optional<double> AsNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "1.5" is "1.500000" to a server.
bool Same(std::string_view wanted, std::string_view found) {
  if (wanted == found) return true;
  const std::optional<double> number = AsNumber(wanted);
  return number.has_value() && number == AsNumber(found);
}

std::string Assignment(std::string_view name, const std::string& value) {
  // The word, not a text: `rows of now`.
  const bool bare = AsNumber(value).has_value() || name == "system_versioning_asof";
  return fmt::format("{} = {}", name, bare ? value : QuoteText(value));
}

using Values = absl::flat_hash_map<std::string, std::string>;

absl::StatusOr<Values> ReadPinned(Connection* connection) {
  std::string names;
  for (const Pin& pin : kPins) names += fmt::format("{}'{}'", names.empty() ? "" : ",", pin.name);
  HAKOBU_ASSIGN_OR_RETURN(
      const QueryResult result,
      connection->Query(fmt::format("SHOW SESSION VARIABLES WHERE Variable_name IN ({})", names), 2));
  Values values;
  for (const auto& row : result.rows) {
    std::string name = row[0].value_or("");
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    values[name] = row[1].value_or("");
  }
  if (values.find("sql_select_limit") == values.end()) {
    return absl::FailedPreconditionError("expected the session's variables, found none of them");
  }
  return values;
}

// What would already touch the question for the present values. All servers have the first; which one knows
// which time limit is told by flavor and version.
std::vector<std::string> FirstStatements(const Connection& connection) {
  std::vector<std::string> statements = {
      "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci",
      fmt::format("SET SESSION sql_mode = '', autocommit = 1, sql_select_limit = {0}, max_join_size = {0}, "
                  "sql_big_selects = 1",
                  kNoLimit)};
  const bool mariadb = connection.flavor() == ServerFlavor::kMariaDb;
  if (mariadb) {
    statements.emplace(statements.begin(), "SET SESSION max_statement_time = 0");
  } else if (connection.version_number() >= 50708) {
    statements.emplace_back("SET SESSION max_execution_time = 0");
  }
  return statements;
}

absl::Status Pinned(Connection* connection, const ConnectOptions& options) {
  for (const std::string& statement : FirstStatements(*connection)) {
    HAKOBU_RETURN_IF_ERROR(connection->Execute(statement));
  }
  HAKOBU_ASSIGN_OR_RETURN(const Values before, ReadPinned(connection));
  std::string set;
  for (const Pin& pin : kPins) {
    const std::string value = PinValue(pin, options);
    const auto found = before.find(View(pin.name));
    if (found == before.end() || Same(value, found->second)) continue;
    set += (set.empty() ? "SET SESSION " : ", ") + Assignment(pin.name, value);
  }
  if (set.empty()) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(connection->Execute(set));
  HAKOBU_ASSIGN_OR_RETURN(const Values after, ReadPinned(connection));
  for (const Pin& pin : kPins) {
    const std::string value = PinValue(pin, options);
    const auto found = after.find(View(pin.name));
    if (found == after.end() || Same(value, found->second)) continue;
    return WithHint(
        absl::FailedPreconditionError(fmt::format("expected {} to be {} once it was set, found {}", pin.name,
                                                  value.empty() ? "''" : value,
                                                  found->second.empty() ? "''" : found->second)),
        fmt::format("it matters: {}. Is there a proxy between that answers SET by itself? Connect "
                    "to the server directly",
                    pin.why));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PinSession(Connection* connection, const ConnectOptions& options) {
  return Annotate(Pinned(connection, options), fmt::format("set up the session at {}", connection->where()));
}

std::vector<std::string_view> PinnedVariables() {
  std::vector<std::string_view> names;
  for (const Pin& pin : kPins) names.push_back(pin.name);
  return names;
}

}  // namespace hakobu
