#include "source/log_silence.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"

namespace hakobu {
namespace {

bool Holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

absl::StatusOr<bool> LogsCascades(Connection* connection) {
  constexpr uint32_t kForeignKeysAboveTheEngine = 90600;
  if (connection->flavor() != ServerFlavor::kMySql) return false;
  if (connection->version_number() < kForeignKeysAboveTheEngine) return false;
  HAKOBU_ASSIGN_OR_RETURN(const QueryResult native,
                          connection->Query("SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'", 2));
  return native.rows.empty() || native.rows[0][1] != "ON";
}

// "ON DELETE CASCADE", "ON UPDATE SET NULL", or both.
std::string Rules(const std::string& on_delete, const std::string& on_update) {
  const auto acts = [](const std::string& rule) { return rule == "CASCADE" || rule == "SET NULL"; };
  std::string rules;
  if (acts(on_delete)) rules = "ON DELETE " + on_delete;
  if (acts(on_update)) rules += (rules.empty() ? "" : " and ") + ("ON UPDATE " + on_update);
  return rules;
}

}  // namespace

std::vector<LogSilence> SilencesOf(const LogState& state, const std::set<std::string>& databases) {
  if (!state.log_on) {
    return {{"the source writes no binary log",
             "set log_bin and binlog_format=ROW (on RDS: turn on automated backups)"}};
  }
  std::vector<LogSilence> silences;
  if (state.format != "ROW") {
    silences.push_back({fmt::format("binlog_format: expected ROW, found {}", state.format),
                        "SET GLOBAL binlog_format = ROW, and let clients reconnect"});
  }
  if (state.row_image != "FULL") {
    silences.push_back({fmt::format("binlog_row_image: expected FULL, found {}", state.row_image),
                        "SET GLOBAL binlog_row_image = FULL, and let clients reconnect"});
  }
  if (state.replica && !state.logs_what_it_replicates) {
    silences.push_back(
        {"the source is a replica that does not log what it replicates",
         "set log_replica_updates=ON there (log_slave_updates before 8.0.26 and in MariaDB), or "
         "stream from its own source"});
  }
  for (const std::string& database : databases) {
    if (!state.only_databases.empty() && !Holds(state.only_databases, database)) {
      silences.push_back({fmt::format("binlog_do_db: {} is not among what the source logs ({})", database,
                                      fmt::join(state.only_databases, ", ")),
                          "take the option away on the source"});
    }
    if (Holds(state.ignored_databases, database)) {
      silences.push_back({fmt::format("binlog_ignore_db: the source does not log {}", database),
                          "take the option away on the source"});
    }
  }
  return silences;
}

std::vector<std::string> FilteredStatements(const LogState& state, const std::set<std::string>& databases) {
  const auto streamed = [&databases](const std::vector<std::string>& names) {
    return std::all_of(databases.begin(), databases.end(),
                       [&names](const std::string& database) { return Holds(names, database); });
  };
  std::vector<std::string> sentences;
  if (!state.only_databases.empty() && streamed(state.only_databases)) {
    sentences.push_back(
        fmt::format("binlog_do_db lets {} into the log: DDL that is run while another database is "
                    "the session's own is not logged",
                    fmt::join(state.only_databases, ", ")));
  }
  if (!state.ignored_databases.empty()) {
    sentences.push_back(
        fmt::format("binlog_ignore_db leaves {} out of the log: DDL of other databases that is run "
                    "from there is not logged",
                    fmt::join(state.ignored_databases, ", ")));
  }
  return sentences;
}

absl::StatusOr<std::map<std::string, std::string>> ReadUnloggedCascades(
    Connection* connection, const std::set<std::string>& databases) {
  std::map<std::string, std::string> cascades;
  HAKOBU_ASSIGN_OR_RETURN(const bool logged, LogsCascades(connection));
  if (logged) return cascades;
  for (const std::string& database : databases) {
    const absl::StatusOr<QueryResult> found = connection->Query(
        fmt::format(
            "SELECT TABLE_NAME, UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, DELETE_RULE, UPDATE_RULE "
            "FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = {} AND "
            "(DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL')) "
            "ORDER BY TABLE_NAME, CONSTRAINT_NAME",
            QuoteText(database)),
        5);
    if (!found.ok()) return Annotate(found.status(), fmt::format("read the foreign keys of {}", database));
    for (const auto& row : found->rows) {
      std::string& text = cascades[fmt::format("{}.{}", database, row[0].value_or(""))];
      text += (text.empty() ? "" : "; ") + fmt::format("{} of {}.{}",
                                                       Rules(row[3].value_or(""), row[4].value_or("")),
                                                       row[1].value_or(database), row[2].value_or(""));
    }
  }
  return cascades;
}

}  // namespace hakobu
