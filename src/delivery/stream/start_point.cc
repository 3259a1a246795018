#include "delivery/stream/start_point.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/status.h"
#include "delivery/stream/executed.h"

namespace hakobu {
namespace {

void TakeIdentity(const LogState& state, StreamPosition* position) {
  position->flavor = state.flavor == ServerFlavor::kMySql ? "mysql" : "mariadb";
  position->server_uuid = state.server_uuid;
  position->server_id = state.server_id;
}

absl::StatusOr<LogStart> StartAt(const LogState& state, const StreamPosition& position) {
  if (state.flavor == ServerFlavor::kMySql && !position.gtid_set.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(const ExecutedGtids executed,
                            ExecutedGtids::Parse(state.flavor, position.gtid_set));
    return LogStart::After(position.gtid_set, executed.Bytes());
  }
  return LogStart::At(position.file, position.offset);
}

// MariaDB says where its log stands in a consistent view of the tables: everything before is seen by later
// reads.
absl::Status ReadSnapshotPosition(Connection* source, StreamPosition* position) {
  HAKOBU_RETURN_IF_ERROR(source->Query("START TRANSACTION WITH CONSISTENT SNAPSHOT").status());
  const absl::StatusOr<QueryResult> status = source->Query("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'");
  HAKOBU_RETURN_IF_ERROR(source->Query("COMMIT").status());
  HAKOBU_RETURN_IF_ERROR(status.status());
  for (const auto& row : status->rows) {
    const std::string name = row[0].value_or("");
    const std::string value = row[1].value_or("");
    if (name == "Binlog_snapshot_file" && !value.empty()) position->file = value;
    if (name == "Binlog_snapshot_position" && !value.empty()) {
      position->offset = std::strtoull(value.c_str(), nullptr, 10);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckLog(const LogState& state) {
  Problems problems;
  if (!state.log_on) {
    problems.Add(
        WithHint(absl::InvalidArgumentError("the source writes no binary log"), "set log_bin on the source"));
    return problems.Status();
  }
  if (state.format != "ROW") {
    problems.Add(WithHint(
        absl::InvalidArgumentError(fmt::format("binlog_format: expected ROW, found {}", state.format)),
        "SET GLOBAL binlog_format = ROW, and let clients reconnect"));
  }
  if (state.row_image != "FULL") {
    problems.Add(WithHint(
        absl::InvalidArgumentError(fmt::format("binlog_row_image: expected FULL, found {}", state.row_image)),
        "SET GLOBAL binlog_row_image = FULL, and let clients reconnect"));
  }
  return problems.Status();
}

absl::StatusOr<StartPoint> FirstStart(StreamContext*, Connection* source) {
  HAKOBU_ASSIGN_OR_RETURN(const LogState state, ReadLogState(source));
  HAKOBU_RETURN_IF_ERROR(CheckLog(state));
  StartPoint point;
  point.position.epoch = 1;
  TakeIdentity(state, &point.position);
  point.position.file = state.file;
  point.position.offset = state.offset;
  point.position.gtid_set = state.gtid_on ? state.executed_gtids : "";
  if (state.flavor == ServerFlavor::kMariaDb) {
    HAKOBU_RETURN_IF_ERROR(ReadSnapshotPosition(source, &point.position));
  }
  HAKOBU_ASSIGN_OR_RETURN(point.start, StartAt(state, point.position));
  return point;
}

absl::StatusOr<StartPoint> ContinueAt(StreamContext*, Connection* source, const StreamPosition& stored) {
  HAKOBU_ASSIGN_OR_RETURN(const LogState state, ReadLogState(source));
  StartPoint point;
  point.position = stored;
  if (state.server_uuid != stored.server_uuid || state.server_id != stored.server_id) {
    ++point.position.epoch;
    TakeIdentity(state, &point.position);
  }
  HAKOBU_ASSIGN_OR_RETURN(point.start, StartAt(state, point.position));
  return point;
}

}  // namespace hakobu
