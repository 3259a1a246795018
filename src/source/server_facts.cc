#include "source/server_facts.h"

#include <fmt/format.h>

#include <charconv>

namespace hakobu {
namespace {

constexpr std::string_view kSettings =
    "'log_bin','binlog_format','binlog_row_image','binlog_row_metadata','gtid_mode','gtid_strict_mode',"
    "'enforce_gtid_consistency','binlog_expire_logs_seconds','expire_logs_days','net_write_timeout',"
    "'max_allowed_packet','innodb_buffer_pool_size','innodb_page_size','max_connections','server_uuid','"
    "server_id',"
    "'read_only','lower_case_table_names','time_zone','system_time_zone','character_set_server','version_"
    "comment',"
    "'aurora_version','binlog_row_value_options','max_execution_time'";

constexpr std::string_view kSessionCounters =
    "SHOW SESSION STATUS WHERE Variable_name IN ('Questions','Handler_read_first','Handler_read_key',"
    "'Handler_read_last','Handler_read_next','Handler_read_prev','Handler_read_rnd','Handler_read_rnd_next',"
    "'Created_tmp_tables','Created_tmp_disk_tables','Sort_rows','Sort_merge_passes','Bytes_sent')";
constexpr std::string_view kGlobalCounters =
    "SHOW GLOBAL STATUS WHERE Variable_name IN "
    "('Innodb_data_reads','Innodb_buffer_pool_reads','Threads_running',"
    "'Innodb_row_lock_waits')";

uint64_t CountOf(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

struct CounterField {
  std::string_view name;
  uint64_t LoadCounters::* field;
};
constexpr CounterField kCounterFields[] = {
    {"Questions", &LoadCounters::statements},
    {"Handler_read_first", &LoadCounters::rows_examined},
    {"Handler_read_key", &LoadCounters::rows_examined},
    {"Handler_read_last", &LoadCounters::rows_examined},
    {"Handler_read_next", &LoadCounters::rows_examined},
    {"Handler_read_prev", &LoadCounters::rows_examined},
    {"Handler_read_rnd", &LoadCounters::rows_examined},
    {"Handler_read_rnd_next", &LoadCounters::rows_examined},
    {"Created_tmp_tables", &LoadCounters::tmp_tables},
    {"Created_tmp_disk_tables", &LoadCounters::tmp_disk_tables},
    {"Sort_rows", &LoadCounters::sort_rows},
    {"Sort_merge_passes", &LoadCounters::sort_merge_passes},
    {"Bytes_sent", &LoadCounters::bytes_sent},
    {"Innodb_data_reads", &LoadCounters::innodb_data_reads},
    {"Innodb_buffer_pool_reads", &LoadCounters::innodb_pages_read},
    {"Threads_running", &LoadCounters::threads_running},
    {"Innodb_row_lock_waits", &LoadCounters::row_lock_waits},
};

void AddCounters(const QueryResult& result, LoadCounters* counters) {
  for (const auto& row : result.rows) {
    for (const CounterField& known : kCounterFields) {
      if (row[0] == known.name) counters->*known.field += CountOf(row[1].value_or(""));
    }
  }
}

absl::StatusOr<Privileges> ReadPrivileges(Connection* connection) {
  Privileges privileges;
  HAKOBU_ASSIGN_OR_RETURN(privileges.user, connection->QueryValue("SELECT CURRENT_USER()"));
  const size_t at = privileges.user.rfind('@');
  privileges.user = fmt::format("{}@{}", QuoteText(privileges.user.substr(0, at)),
                                QuoteText(at == std::string::npos ? "%" : privileges.user.substr(at + 1)));
  HAKOBU_ASSIGN_OR_RETURN(const QueryResult result, connection->Query("SHOW GRANTS"));
  for (const auto& row : result.rows) {
    if (auto grant = ParseGrant(row[0].value_or(""))) privileges.grants.push_back(*std::move(grant));
  }
  return privileges;
}

}  // namespace

std::string_view PositionStatement(const Connection& connection) {
  const bool renamed = connection.flavor() == ServerFlavor::kMySql && connection.version_number() >= 80200;
  return renamed ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS";
}

std::string_view ServerFacts::Setting(std::string_view name) const {
  const auto found = settings.find(std::string(name));
  return found == settings.end() ? std::string_view() : found->second;
}

absl::StatusOr<ServerFacts> ReadServerFacts(Connection* connection) {
  ServerFacts facts;
  facts.flavor = connection->flavor();
  facts.version = connection->version();
  auto settings =
      connection->Query(fmt::format("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({})", kSettings), 2);
  if (!settings.ok()) return Annotate(settings.status(), "read the server's settings");
  for (auto& row : settings->rows) facts.settings[row[0].value_or("")] = row[1].value_or("");
  facts.server_uuid =
      facts.Setting("server_uuid").empty() ? facts.Setting("server_id") : facts.Setting("server_uuid");
  facts.read_only = facts.Setting("read_only") == "ON";
  HAKOBU_ASSIGN_OR_RETURN(facts.privileges, ReadPrivileges(connection));
  return facts;
}

absl::StatusOr<LogPoint> ReadLogPoint(Connection* connection, std::string* why_unknown) {
  LogPoint position;
  position.flavor = connection->flavor();
  const auto unknown = [&](std::string_view why) {
    if (why_unknown != nullptr) *why_unknown = why;
    return position;
  };
  auto result = connection->Query(PositionStatement(*connection), 2);
  if (!result.ok()) {
    // ER_SPECIFIC_ACCESS_DENIED: a run works without the position, and says so.
    if (!absl::IsPermissionDenied(result.status())) return Annotate(result.status(), "read the log position");
    return unknown("the user lacks REPLICATION CLIENT");
  }
  if (result->rows.empty()) return unknown("the binary log is off");
  const auto& row = result->rows[0];
  position.file = row[0].value_or("");
  position.offset = CountOf(row[1].value_or(""));
  const size_t gtid = result->Column("Executed_Gtid_Set");
  if (gtid < row.size()) position.gtid_set = row[gtid].value_or("");
  if (connection->flavor() == ServerFlavor::kMariaDb) {
    HAKOBU_ASSIGN_OR_RETURN(position.gtid_set, connection->QueryValue("SELECT @@GLOBAL.gtid_binlog_pos"));
  }
  std::erase(position.gtid_set, '\n');  // MySQL breaks the line after each server
  return position;
}

absl::StatusOr<LoadCounters> ReadLoadCounters(Connection* connection) {
  LoadCounters counters;
  for (const std::string_view statement : {kSessionCounters, kGlobalCounters}) {
    auto result = connection->Query(statement, 2);
    if (!result.ok()) return Annotate(result.status(), "read the load counters");
    AddCounters(*result, &counters);
  }
  return counters;
}

LoadCounters operator-(const LoadCounters& later, const LoadCounters& earlier) {
  LoadCounters difference;
  for (const CounterField& known : kCounterFields) {
    difference.*known.field = later.*known.field - earlier.*known.field;
  }
  difference.threads_running = later.threads_running;
  return difference;
}

absl::StatusOr<OpenTransactions> ReadOpenTransactions(Connection* connection) {
  // trx_started has whole seconds, floored, so never too late, in the machine's zone whatever the session's.
  auto result = connection->QueryRow(
      "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED), "
      "(SELECT CAST(MIN(UNIX_TIMESTAMP(CONVERT_TZ(trx_started, 'SYSTEM', '+00:00'))) AS SIGNED) "
      "FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> CONNECTION_ID())",
      2);
  if (!result.ok()) {
    return WithHint(Annotate(result.status(), "read the open transactions"),
                    "GRANT PROCESS ON *.* lets hakobu see the oldest open transaction");
  }
  const auto& row = *result;
  OpenTransactions transactions;
  transactions.now = absl::FromUnixMicros(static_cast<int64_t>(CountOf(row[0].value_or(""))));
  if (row[1]) transactions.oldest_start = absl::FromUnixSeconds(static_cast<int64_t>(CountOf(*row[1])));
  return transactions;
}

}  // namespace hakobu
