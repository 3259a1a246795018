#include "source/log_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "source/server_facts.h"

namespace hakobu {
namespace {

constexpr std::string_view kSettings =
    "'log_bin','binlog_format','binlog_row_image','binlog_row_metadata','binlog_checksum',"
    "'binlog_row_value_options','binlog_transaction_compression','log_bin_compress','sync_binlog','gtid_mode'"
    ","
    "'server_id','server_uuid','read_only','binlog_expire_logs_seconds','binlog_expire_logs_auto_purge',"
    "'expire_logs_days','log_replica_updates','log_slave_updates'";

using Settings = absl::flat_hash_map<std::string, std::string>;

uint64_t Number(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

absl::StatusOr<Settings> ReadSettings(Connection* connection) {
  HAKOBU_ASSIGN_OR_RETURN(
      const QueryResult result,
      connection->Query(fmt::format("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({})", kSettings), 2));
  Settings settings;
  for (const auto& row : result.rows) settings[row[0].value_or("")] = row[1].value_or("");
  return settings;
}

bool IsOn(std::string_view value) {
  return value == "ON" || value == "1";
}

void TakeSettings(const Settings& settings, LogState* state) {
  const auto get = [&](std::string_view name) {
    const auto found = settings.find(View(name));
    return found == settings.end() ? std::string() : found->second;
  };
  state->log_on = IsOn(get("log_bin"));
  state->format = get("binlog_format");
  state->row_image = get("binlog_row_image");
  state->row_metadata = get("binlog_row_metadata");
  state->checksum = get("binlog_checksum");
  state->partial_json = get("binlog_row_value_options").find("PARTIAL_JSON") != std::string::npos;
  state->compression = IsOn(get("binlog_transaction_compression")) || IsOn(get("log_bin_compress"));
  state->sync_binlog = Number(get("sync_binlog"));
  state->server_uuid = get("server_uuid");
  state->server_id = static_cast<uint32_t>(Number(get("server_id")));
  state->read_only = IsOn(get("read_only"));
  state->logs_what_it_replicates = get("log_replica_updates") != "OFF" && get("log_slave_updates") != "OFF";
  state->gtid_on = get("gtid_mode") == "ON";
  const std::string automatic = get("binlog_expire_logs_auto_purge");
  if (!automatic.empty() && !IsOn(automatic)) return;
  if (const uint64_t seconds = Number(get("binlog_expire_logs_seconds")); seconds > 0) {
    state->kept_for = absl::Seconds(static_cast<int64_t>(seconds));
    state->kept_by = "binlog_expire_logs_seconds";
  } else if (const double days = std::strtod(get("expire_logs_days").c_str(), nullptr); days > 0) {
    state->kept_for = absl::Hours(24) * days;
    state->kept_by = "expire_logs_days";
  }
}

// RDS purges by a setting of its own, whatever the server's says. NULL there: as soon as possible.
void TakeRdsRetention(Connection* connection, LogState* state) {
  const auto hours =
      connection->Query("SELECT value FROM mysql.rds_configuration WHERE name = 'binlog retention hours'");
  if (!hours.ok() || hours->rows.empty()) return;  // no RDS, or not to be read
  const auto& value = hours->rows[0][0];
  state->kept_for = absl::Hours(static_cast<int64_t>(Number(value.value_or("0"))));
  state->kept_by = "rds binlog retention hours";
}

absl::Status TakeFiles(Connection* connection, LogState* state) {
  HAKOBU_ASSIGN_OR_RETURN(const QueryResult files, connection->Query("SHOW BINARY LOGS", 2));
  const size_t encrypted = files.Column("Encrypted");
  for (const auto& row : files.rows) {
    LogState::File& file = state->files.emplace_back();
    file.name = row[0].value_or("");
    file.bytes = Number(row[1].value_or(""));
    file.encrypted = encrypted < row.size() && row[encrypted] == "Yes";
  }
  return absl::OkStatus();
}

std::vector<std::string> Names(const std::string& list) {
  return list.empty() ? std::vector<std::string>() : absl::StrSplit(list, ',');
}

// The filters are options of the server's start; only here does it say them.
absl::Status TakeFilters(Connection* connection, LogState* state) {
  HAKOBU_ASSIGN_OR_RETURN(const QueryResult result, connection->Query(PositionStatement(*connection), 2));
  const size_t only = result.Column("Binlog_Do_DB"), ignored = result.Column("Binlog_Ignore_DB");
  if (result.rows.empty()) return absl::OkStatus();
  const auto& row = result.rows[0];
  if (only < row.size()) state->only_databases = Names(row[only].value_or(""));
  if (ignored < row.size()) state->ignored_databases = Names(row[ignored].value_or(""));
  return absl::OkStatus();
}

// Whoever may read the log may ask this on MySQL; MariaDB wants a privilege of its own for it, and without it
// only a replica that runs shows.
absl::Status TakeReplica(Connection* connection, LogState* state) {
  if (state->logs_what_it_replicates) return absl::OkStatus();  // then nothing depends on it
  const bool mariadb = state->flavor == ServerFlavor::kMariaDb;
  const bool renamed = !mariadb && connection->version_number() >= 80022;
  const absl::StatusOr<QueryResult> replicas = connection->Query(mariadb   ? "SHOW ALL SLAVES STATUS"
                                                                 : renamed ? "SHOW REPLICA STATUS"
                                                                           : "SHOW SLAVE STATUS");
  if (replicas.ok()) {
    state->replica = !replicas->rows.empty();
    return absl::OkStatus();
  }
  if (!absl::IsPermissionDenied(replicas.status())) return replicas.status();
  HAKOBU_ASSIGN_OR_RETURN(
      const QueryResult running,
      connection->Query("SHOW GLOBAL STATUS WHERE Variable_name IN ('Slave_running', 'Slaves_running')", 2));
  for (const auto& row : running.rows) {
    const std::string value = row[1].value_or("");
    state->replica |= value != "OFF" && value != "0" && !value.empty();
  }
  return absl::OkStatus();
}

absl::Status TakeClock(Connection* connection, LogState* state) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string now, connection->QueryValue("SELECT UNIX_TIMESTAMP()"));
  HAKOBU_ASSIGN_OR_RETURN(const QueryResult uptime, connection->Query("SHOW GLOBAL STATUS LIKE 'Uptime'", 2));
  state->server_now = absl::FromUnixSeconds(static_cast<int64_t>(Number(now)));
  if (uptime.rows.empty()) return absl::OkStatus();
  const auto seconds = static_cast<int64_t>(Number(uptime.rows[0][1].value_or("0")));
  state->started = state->server_now - absl::Seconds(seconds);
  return absl::OkStatus();
}

absl::Status ReadAll(Connection* connection, LogState* state) {
  HAKOBU_ASSIGN_OR_RETURN(const Settings settings, ReadSettings(connection));
  TakeSettings(settings, state);
  HAKOBU_RETURN_IF_ERROR(TakeClock(connection, state));
  if (!state->log_on) return absl::OkStatus();
  // The sets before the files: what is purged or executed meanwhile then looks like less proof, never more.
  if (state->flavor == ServerFlavor::kMySql) {
    HAKOBU_ASSIGN_OR_RETURN(state->executed_gtids, connection->QueryValue("SELECT @@GLOBAL.gtid_executed"));
    std::erase(state->executed_gtids, '\n');
  }
  std::string why_unknown;
  HAKOBU_ASSIGN_OR_RETURN(const LogPoint position, ReadLogPoint(connection, &why_unknown));
  if (!why_unknown.empty()) {
    return WithHint(absl::PermissionDeniedError(why_unknown),
                    "GRANT REPLICATION CLIENT ON *.* (MariaDB: BINLOG MONITOR) to the user");
  }
  state->file = position.file;
  state->offset = position.offset;
  HAKOBU_RETURN_IF_ERROR(TakeFilters(connection, state));
  HAKOBU_RETURN_IF_ERROR(TakeReplica(connection, state));
  if (state->flavor == ServerFlavor::kMariaDb) {
    state->executed_gtids = position.gtid_set;
    state->gtid_on = !position.gtid_set.empty();
  }
  HAKOBU_RETURN_IF_ERROR(TakeFiles(connection, state));
  if (state->flavor == ServerFlavor::kMySql) {
    // Last: a purge that comes between is then seen.
    HAKOBU_ASSIGN_OR_RETURN(state->purged_gtids, connection->QueryValue("SELECT @@GLOBAL.gtid_purged"));
    std::erase(state->purged_gtids, '\n');
    TakeRdsRetention(connection, state);
  }
  return absl::OkStatus();
}

}  // namespace

LogPoint LogState::end() const {
  return {.file = file,
          .offset = offset,
          .gtid_set = executed_gtids,
          .flavor = flavor,
          .server_uuid = server_uuid,
          .server_id = server_id};
}

uint64_t LogState::total_bytes() const {
  uint64_t total = 0;
  for (const File& each : files) total += each.bytes;
  return total;
}

const LogState::File* LogState::Find(std::string_view name) const {
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const File& each) { return each.name == name; });
  return found == files.end() ? nullptr : &*found;
}

std::optional<uint64_t> LogState::BytesAfter(std::string_view name, uint64_t at) const {
  const File* found = Find(name);
  if (found == nullptr) return std::nullopt;
  uint64_t bytes = found->bytes > at ? found->bytes - at : 0;
  for (const File* each = found + 1; each != files.data() + files.size(); ++each) bytes += each->bytes;
  return bytes;
}

absl::StatusOr<LogState> ReadLogState(Connection* connection) {
  LogState state;
  state.flavor = connection->flavor();
  state.version = connection->version();
  const absl::Status read = ReadAll(connection, &state);
  if (!read.ok()) return Annotate(read, "read the state of the binary log");
  return state;
}

}  // namespace hakobu
