#include "delivery/stream/start_point.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/stream/evidence.h"
#include "delivery/stream/executed.h"
#include "delivery/stream/gap.h"
#include "delivery/stream/gap_record.h"
#include "delivery/stream/log_file_head.h"
#include "source/log_silence.h"

namespace hakobu {
namespace {

void TakeIdentity(const LogState& state, DeliveredPoint* position) {
  position->flavor = state.flavor;
  position->server_uuid = state.server_uuid;
  position->server_id = state.server_id;
}

absl::StatusOr<LogStart> StartAt(const LogState& state, const DeliveredPoint& position) {
  if (state.flavor == ServerFlavor::kMySql && !position.gtid_set.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(const ExecutedGtids executed,
                            ExecutedGtids::Parse(state.flavor, position.gtid_set));
    return LogStart::After(position.gtid_set, executed.Bytes());
  }
  return LogStart::At(position.file, position.offset);
}

// MariaDB says where its log stands in a consistent view of the tables: everything before is seen by later
// reads.
absl::Status ReadSnapshotPosition(Connection* source, DeliveredPoint* position) {
  HAKOBU_RETURN_IF_ERROR(source->Execute("START TRANSACTION WITH CONSISTENT SNAPSHOT"));
  const absl::StatusOr<QueryResult> status = source->Query("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'", 2);
  HAKOBU_RETURN_IF_ERROR(source->Execute("COMMIT"));
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

// Positions count anew: events come from `start` on, wherever that is.
void TakePlace(const LogState& state, StartPoint* point) {
  point->position.identity = {};
  if (point->start.kind == LogStart::Kind::kPosition) {
    point->position.file = point->start.point.file;
    point->position.offset = point->start.point.offset;
  } else if (!state.files.empty()) {
    point->position.file = state.files.front().name;
    point->position.offset = 4;
  }
}

std::set<std::string> Databases(StreamContext* context) {
  std::set<std::string> databases;
  for (const StreamTable* table : context->tables.all()) {
    if (const auto schema = table->schema()) databases.insert(schema->work.source.database);
  }
  return databases;
}

std::vector<StreamTable*> Concerned(StreamContext* context, const Continuity& judgement) {
  std::vector<StreamTable*> tables;
  for (StreamTable* table : context->tables.all()) {
    const bool possible = !judgement.tables.has_value() || judgement.tables->contains(table->name);
    if (table->delivered && possible) tables.push_back(table);
  }
  return tables;
}

absl::Status RecordGap(StreamContext* context, const Continuity& judgement, const DeliveredPoint& from,
                       const DeliveredPoint& behind) {
  const std::vector<StreamTable*> tables = Concerned(context, judgement);
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamTableRecord> records, context->log->Tables());
  const StreamGapRecord gap = GapRecordOf(judgement, from, records, context->clock->Now());
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamGapRecord> known, context->log->Gaps());
  int64_t id = !known.empty() && SameGap(known.back(), gap) ? known.back().id : 0;
  if (id == 0) {
    HAKOBU_ASSIGN_OR_RETURN(id, context->log->OpenGap(gap));
  }
  CrashPoint("stream.gap_recorded");
  Log(LogSeverity::kError, "gap: the log does not go on where the stream stopped",
      {{"gap", fmt::format("{}", id)},
       {"cause", gap.cause},
       {"explanation", judgement.explanation},
       {"hint", judgement.hint}});
  if (context->config->stream.on_gap == OnGap::kStop) {
    return WithHint(absl::DataLossError(fmt::format("gap {}: {}", id, judgement.explanation)),
                    "see `hakobu gaps`; `stream.on_gap: continue` goes on behind it");
  }
  std::vector<StreamTableProgress> changed;
  const std::string reason = fmt::format("gap {}: `hakobu repair` makes it whole again", id);
  for (const StreamTableRecord& record : records) {
    const bool concerned =
        std::any_of(tables.begin(), tables.end(),
                    [&](const StreamTable* table) { return table->name == record.source; }) &&
        ConcernOf(record, judgement.tables).concern == GapConcern::kPossible;
    if (!concerned) continue;
    changed.push_back({.source = record.source,
                       .event = StreamTableEvent::kGapPassed,
                       .reason = reason,
                       .since = context->clock->Now()});
  }
  DeliveredPoint stored = behind;
  stored.stored = context->clock->Now();
  HAKOBU_RETURN_IF_ERROR(context->log->StorePosition(stored, changed, std::nullopt));
  for (StreamTable* table : tables) HAKOBU_RETURN_IF_ERROR(table->Reload(context->log));
  CrashPoint("stream.gap_passed");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckLog(const LogState& state, const std::set<std::string>& databases) {
  Problems problems;
  for (const LogSilence& silence : SilencesOf(state, databases)) {
    problems.Add(WithHint(absl::InvalidArgumentError(silence.what), silence.hint));
  }
  return problems.Status();
}

absl::StatusOr<StartPoint> FirstStart(StreamContext* context, Connection* source,
                                      const std::set<std::string>& databases) {
  HAKOBU_ASSIGN_OR_RETURN(const LogState state, ReadLogState(source));
  HAKOBU_RETURN_IF_ERROR(CheckLog(state, databases));
  StartPoint point;
  point.position.epoch = 1;
  TakeIdentity(state, &point.position);
  point.position.file = state.file;
  point.position.offset = state.offset;
  point.position.gtid_set = state.gtid_on ? state.executed_gtids : "";
  point.position.committed = state.server_now;  // what was committed by then comes with the tables' copies
  if (state.flavor == ServerFlavor::kMariaDb) {
    HAKOBU_RETURN_IF_ERROR(ReadSnapshotPosition(source, &point.position));
  }
  // Nothing was read before it, so nothing can be missing: that later starts find the same file is all the
  // proof there is without GTIDs.
  HAKOBU_ASSIGN_OR_RETURN(const LogFileHead head, ReadLogFileHead(context->connect, point.position.file));
  point.position.identity = head.identity;
  HAKOBU_ASSIGN_OR_RETURN(point.start, StartAt(state, point.position));
  return point;
}

absl::StatusOr<StartPoint> ContinueAt(StreamContext* context, const DeliveredPoint& from,
                                      LogFailure refused) {
  HAKOBU_ASSIGN_OR_RETURN(const ContinuityProof proof,
                          ProveContinuity(context->connect, from, refused, context->stop));
  HAKOBU_RETURN_IF_ERROR(CheckLog(proof.state, Databases(context)));
  const Continuity& judgement = proof.judgement;
  if (judgement.verdict == ContinuityVerdict::kWait) return absl::UnavailableError(judgement.explanation);
  StartPoint point;
  point.server_ahead = proof.state.server_now + absl::Seconds(1) - context->clock->Now();
  point.start = judgement.start;
  point.position = from;
  TakeIdentity(proof.state, &point.position);
  point.position.gtid_set = judgement.gtid_set;
  // Errant transactions in nobody's tables: a managed service keeps its own books on every server.
  const bool harmless = judgement.cause == GapCause::kErrant && Concerned(context, judgement).empty();
  if (judgement.verdict == ContinuityVerdict::kContinues || harmless) {
    if (judgement.other_server) {
      ++point.position.epoch;
      TakePlace(proof.state, &point);
      Log(LogSeverity::kWarning, "another server, and the log goes on there",
          {{"before", from.server_uuid},
           {"now", point.position.server_uuid},
           {"proof", judgement.explanation}});
    }
    return point;
  }
  ++point.position.epoch;
  TakePlace(proof.state, &point);
  HAKOBU_RETURN_IF_ERROR(RecordGap(context, judgement, from, point.position));
  return point;
}

}  // namespace hakobu
