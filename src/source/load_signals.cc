#include "source/load_signals.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/status.h"

namespace hakobu {
namespace {

uint64_t NumberOf(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

absl::StatusOr<uint64_t> ReadHistoryLength(Connection* connection) {
  const absl::StatusOr<std::string> text = connection->QueryValue(
      "SELECT `count` FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'");
  if (text.ok()) return NumberOf(*text);
  return WithHint(Annotate(text.status(), "read the length of the undo history"),
                  "GRANT PROCESS ON *.* lets hakobu see it, or take source.budget.history_length away");
}

// Renamed by MySQL 8.0.22; MariaDB keeps the old word too.
std::string_view ReplicaStatement(const Connection& connection) {
  const bool renamed = connection.flavor() == ServerFlavor::kMySql && connection.version_number() >= 80022;
  return renamed ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS";
}

absl::StatusOr<std::optional<double>> ReadReplicaLag(Connection* connection) {
  const absl::StatusOr<QueryResult> result = connection->Query(ReplicaStatement(*connection));
  if (!result.ok()) {
    return WithHint(
        Annotate(result.status(), "read how far the replica is behind"),
        "GRANT REPLICATION CLIENT ON *.* lets hakobu see it, or take source.budget.replica_lag away");
  }
  if (result->rows.empty()) {
    return WithHint(absl::FailedPreconditionError("source.budget.replica_lag: the source is no replica"),
                    "take it away, or read from a replica");
  }
  size_t column = result->Column("Seconds_Behind_Source");
  if (column == result->names.size()) column = result->Column("Seconds_Behind_Master");
  if (column == result->names.size() || !result->rows[0][column].has_value()) return std::optional<double>();
  return std::optional<double>(static_cast<double>(NumberOf(*result->rows[0][column])));
}

}  // namespace

absl::StatusOr<LoadSignals> ReadLoadSignals(Connection* connection, const LoadSignalsWanted& wanted) {
  LoadSignals signals;
  absl::StatusOr<QueryResult> status = connection->Query(
      "SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_data_reads', 'Threads_running')", 2);
  if (!status.ok()) return Annotate(status.status(), "read the source's load");
  for (const auto& row : status->rows) {
    const uint64_t number = NumberOf(row[1].value_or(""));
    if (row[0] == "Innodb_data_reads") signals.data_reads = number;
    if (row[0] == "Threads_running") signals.threads_running = number - std::min<uint64_t>(number, 1);
  }
  if (wanted.history_length) {
    HAKOBU_ASSIGN_OR_RETURN(signals.history_length, ReadHistoryLength(connection));
  }
  if (wanted.replica_lag) {
    HAKOBU_ASSIGN_OR_RETURN(signals.replica_lag, ReadReplicaLag(connection));
  }
  return signals;
}

}  // namespace hakobu
