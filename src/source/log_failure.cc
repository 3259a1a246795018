#include "source/log_failure.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/cord.h"
#include "base/escape.h"
#include "base/status.h"
#include "source/error.h"

namespace hakobu {
namespace {

using absl::StatusCode;

constexpr std::string_view kPayload = "hakobu/log-failure";
constexpr std::string_view kPurgedHint =
    "what comes next was deleted on the source: the tables must be repaired; keep the log longer there "
    "(binlog_expire_logs_seconds, on RDS mysql.rds_set_configuration('binlog retention hours', …))";
constexpr std::string_view kAheadHint =
    "the source lost transactions or is another server than before: failed over, restored or reset";
constexpr std::string_view kGrantHint =
    "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* to the user (MariaDB: REPLICATION SLAVE, BINLOG "
    "MONITOR)";

struct Answer {
  std::string_view part;  // of the text; the numbers are one for all
  LogFailure failure;
  StatusCode code;
  std::string_view hint;
};

// Texts: sql/rpl_binlog_sender.cc and share/messages_to_clients.txt of MySQL 5.7 to 9.7 ("master" and "slave"
// became "source" and "replica"); sql/sql_repl.cc of MariaDB 10.11.
constexpr Answer kAnswers[] = {
    {"Could not find first log file name", LogFailure::kPurged, StatusCode::kOutOfRange, kPurgedHint},
    {"purged", LogFailure::kPurged, StatusCode::kOutOfRange, kPurgedHint},
    {"Could not find GTID state requested", LogFailure::kPurged, StatusCode::kOutOfRange, kPurgedHint},
    {"more GTIDs than the", LogFailure::kAhead, StatusCode::kFailedPrecondition, kAheadHint},
    {"from position > file size", LogFailure::kAhead, StatusCode::kFailedPrecondition, kAheadHint},
    {"impossible position", LogFailure::kAhead, StatusCode::kFailedPrecondition, kAheadHint},
    {"which is not in the master's binlog", LogFailure::kAhead, StatusCode::kFailedPrecondition, kAheadHint},
    {"is missing the GTID", LogFailure::kAhead, StatusCode::kFailedPrecondition, kAheadHint},
    {"with the same server_uuid/server_id", LogFailure::kReplaced, StatusCode::kAborted,
     "another hakobu or replica has the same server id: give each its own"},
    {"Binary log is not open", LogFailure::kOff, StatusCode::kFailedPrecondition,
     "the source writes no binary log: set log_bin and binlog_format=ROW (on RDS: turn on automated "
     "backups)"},
    {"server id was not set", LogFailure::kOff, StatusCode::kFailedPrecondition,
     "set server_id on the source"},
    {"bogus data in log event", LogFailure::kCorrupt, StatusCode::kDataLoss,
     "the position is not the start of an event, or the source's log is damaged"},
    {"event read from binlog did not pass crc check", LogFailure::kCorrupt, StatusCode::kDataLoss,
     "the source's log is damaged: repair the tables from after it"},
    {"log event entry exceeded max_allowed_packet", LogFailure::kCorrupt, StatusCode::kDataLoss,
     "the position is not the start of an event, or raise max_allowed_packet on the source"},
    {"anonymous transaction", LogFailure::kPurged, StatusCode::kOutOfRange,
     "the log holds transactions without a GTID: start at a file and position, or after gtid_mode became ON"},
};

}  // namespace

absl::Status WithLogFailure(absl::Status status, LogFailure failure) {
  status.SetPayload(View(kPayload),
                    absl::Cord(std::string(1, static_cast<char>('0' + static_cast<int>(failure)))));
  return status;
}

LogFailure LogFailureOf(const absl::Status& status) {
  const auto payload = status.GetPayload(View(kPayload));
  if (!payload || payload->size() != 1) return LogFailure::kNone;
  return static_cast<LogFailure>((*payload)[0] - '0');
}

absl::Status LogServerError(uint32_t number, std::string_view text) {
  constexpr uint32_t kMasterFatalErrorReadingBinlog = 1236, kAccessDenied = 1045,
                     kSpecificAccessDenied = 1227, kNoBinaryLogging = 1381, kPurgedGtids = 1789,
                     kMoreGtids = 1885;
  if (number == kSpecificAccessDenied || number == kAccessDenied) {
    const absl::Status denied(StatusCode::kPermissionDenied,
                              fmt::format("{} ({})", EscapeControl(text), number));
    return WithLogFailure(WithHint(denied, kGrantHint), LogFailure::kDenied);
  }
  for (const Answer& answer : kAnswers) {
    if (text.find(answer.part) == std::string_view::npos) continue;
    return WithLogFailure(
        WithHint(absl::Status(answer.code, fmt::format("{} ({})", EscapeControl(text), number)), answer.hint),
        answer.failure);
  }
  const std::string message = fmt::format("{} ({})", EscapeControl(text), number);
  switch (number) {
    case kMasterFatalErrorReadingBinlog:
      return WithHint(absl::FailedPreconditionError(message), "the source's error log may say more");
    case kNoBinaryLogging:
      return WithLogFailure(
          WithHint(absl::FailedPreconditionError(message), "set log_bin and binlog_format=ROW on the source"),
          LogFailure::kOff);
    case kPurgedGtids:
      return WithLogFailure(WithHint(absl::OutOfRangeError(message), kPurgedHint), LogFailure::kPurged);
    case kMoreGtids:
      return WithLogFailure(WithHint(absl::FailedPreconditionError(message), kAheadHint), LogFailure::kAhead);
    default:
      return ServerError(number, text);
  }
}

}  // namespace hakobu
