#include "delivery/publish.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "absl/time/clock.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/merge_sql.h"
#include "delivery/table_resource.h"

namespace hakobu {
namespace {

constexpr size_t kStreamsPerCommit = 10'000;
constexpr absl::Duration kMostSettling = absl::Hours(2);

// The cursor's name in BigQuery when rows can be staged twice; empty when they cannot.
std::string_view CursorField(const TableRun& table) {
  if (!table.by_cursor) return {};
  for (const Field& field : table.work.schema.fields) {
    if (table.work.source.columns[field.source_column].name == table.work.options.cursor) return field.name;
  }
  return {};
}

class Publication {
 public:
  Publication(RunContext* run, TableRun* table)
      : run_(run), table_(table), rest_(*run->destination.rest), work_(table->work) {}

  absl::Status Publish();

 private:
  const PublishStep* Find(std::string_view name) const {
    for (const PublishStep& step : steps_) {
      if (step.step == name) return &step;
    }
    return nullptr;
  }
  bool Done(std::string_view name) const {
    const PublishStep* step = Find(name);
    return step != nullptr && step->done;
  }
  absl::Status Record(const PublishStep& step) {
    return run_->ledger->runs().RecordStep(run_->run_id, work_.name, step);
  }

  absl::Status Commit();
  absl::Status Verify();
  absl::Status AwaitSettled();
  absl::Status CarryTags();
  absl::Status KeepPrevious();
  absl::Status Copy(WriteDisposition disposition);
  absl::Status Merge();
  absl::Status PatchTarget();
  absl::Status Drop();
  absl::Status RunRecordedJob(const std::string& step, const std::string& configuration);

  RunContext* run_;
  TableRun* table_;
  Rest& rest_;
  const TableWork& work_;
  std::vector<PublishStep> steps_;
  std::string before_;  // the target's resource before it was replaced; empty: there was none
};

absl::Status Publication::Publish() {
  HAKOBU_ASSIGN_OR_RETURN(steps_, run_->ledger->runs().Steps(run_->run_id, work_.name));
  CrashPoint("publish.begun");
  HAKOBU_RETURN_IF_ERROR(Commit());
  if (!table_->direct) {
    const bool whole = work_.mode == WriteMode::kReplace || table_->first_load;
    if (!Done("published")) {
      HAKOBU_RETURN_IF_ERROR(Verify());
      HAKOBU_RETURN_IF_ERROR(AwaitSettled());
      if (whole) {
        HAKOBU_RETURN_IF_ERROR(CarryTags());
        HAKOBU_RETURN_IF_ERROR(KeepPrevious());
        HAKOBU_RETURN_IF_ERROR(Copy(WriteDisposition::kTruncate));
      } else if (work_.mode == WriteMode::kAppend) {
        HAKOBU_RETURN_IF_ERROR(Copy(WriteDisposition::kAppend));
      } else {
        HAKOBU_RETURN_IF_ERROR(Merge());
      }
      CrashPoint("publish.published");
      HAKOBU_RETURN_IF_ERROR(Record({.step = "published", .detail = "", .done = true}));
      CrashPoint("publish.recorded");
    }
    if (whole) HAKOBU_RETURN_IF_ERROR(PatchTarget());
  }
  if (table_->next_cursor.has_value()) {
    HAKOBU_RETURN_IF_ERROR(run_->ledger->runs().MoveCursor(run_->run_id, work_.name, work_.target.ToString(),
                                                           table_->next_cursor->ToJson()));
    CrashPoint("publish.cursor_moved");
  }
  HAKOBU_RETURN_IF_ERROR(Drop());
  return run_->ledger->schemas()
      .RecordSchema(work_.target.ToString(), run_->run_id, SchemaJson(work_))
      .status();
}

// All streams at once become visible in the staging table (or, written directly, in the target: that is the
// publication).
absl::Status Publication::Commit() {
  if (work_.write != WriteBy::kStorage || Done("commit")) return absl::OkStatus();
  std::vector<std::string> streams;
  for (const ChunkRecord& chunk : table_->chunks) {
    if (!chunk.stream.empty()) streams.push_back(chunk.stream);
  }
  CrashPoint("publish.commit");
  for (size_t first = 0; first < streams.size(); first += kStreamsPerCommit) {
    const size_t last = std::min(first + kStreamsPerCommit, streams.size());
    const std::vector<std::string> some(streams.begin() + static_cast<ptrdiff_t>(first),
                                        streams.begin() + static_cast<ptrdiff_t>(last));
    HAKOBU_RETURN_IF_ERROR(
        Annotate(run_->destination.storage->BatchCommit(table_->staging, some), "commit the write streams"));
    CrashPoint("publish.committed");
  }
  HAKOBU_RETURN_IF_ERROR(Record({.step = "commit", .detail = std::to_string(streams.size()), .done = true}));
  CrashPoint("publish.commit_recorded");
  return absl::OkStatus();
}

// The staging table holds exactly the rows that were sent, or nothing is published.
absl::Status Publication::Verify() {
  uint64_t sent = 0;
  for (const ChunkRecord& chunk : table_->chunks) sent += chunk.rows;
  QuerySpec query;
  query.project = run_->config->destination.billing_project;
  query.sql = fmt::format("SELECT COUNT(*) FROM {}", table_->staging.Quoted());
  query.location = run_->config->destination.location;
  HAKOBU_ASSIGN_OR_RETURN(const QueryAnswer answer, RunQuery(rest_, query));
  const std::string text =
      answer.rows.empty() || answer.rows[0].empty() ? "" : answer.rows[0][0].value_or("");
  uint64_t found = 0;
  std::from_chars(text.data(), text.data() + text.size(), found);
  if (found == sent) return absl::OkStatus();
  return WithHint(absl::DataLossError(fmt::format("verify {}: sent {} rows, BigQuery holds {}",
                                                  table_->staging.ToString(), sent, found)),
                  "nothing was published; run again with --fresh, which reads the table anew");
}

// Queries see streamed rows at once, copy jobs only when they have left the streaming buffer: minutes, rarely
// 90 (docs.cloud.google.com/bigquery/docs/write-api-rest). A copy before that would publish less than all.
absl::Status Publication::AwaitSettled() {
  if (work_.write != WriteBy::kStorage) return absl::OkStatus();
  const absl::Time give_up = absl::Now() + kMostSettling;
  for (absl::Duration pause = absl::Milliseconds(250);; pause = std::min(pause * 2, absl::Seconds(30))) {
    HAKOBU_ASSIGN_OR_RETURN(const Resource staging, GetTable(rest_, table_->staging));
    HAKOBU_ASSIGN_OR_RETURN(const TableFacts facts, ReadTableFacts(staging.json));
    if (!facts.has_streaming_buffer) return absl::OkStatus();
    if (absl::Now() >= give_up) {
      return WithHint(
          absl::UnavailableError(fmt::format("{}: {} rows are still in the streaming buffer after {}",
                                             table_->staging.ToString(), facts.streaming_buffer_rows,
                                             absl::FormatDuration(kMostSettling))),
          "nothing was published; run again, which goes on from here");
    }
    if (run_->cancel->WaitFor(pause)) return run_->cancel->Check();
  }
}

// Policy tags that somebody set while the run was reading must be on the copy from its first moment.
absl::Status Publication::CarryTags() {
  if (const PublishStep* step = Find("before"); step != nullptr) {
    before_ = step->detail;
    return absl::OkStatus();
  }
  const absl::StatusOr<Resource> target = GetTable(rest_, work_.target);
  if (target.ok()) {
    before_ = target->json;
  } else if (target.status().code() != absl::StatusCode::kNotFound) {
    return target.status();
  }
  HAKOBU_ASSIGN_OR_RETURN(const Resource staging, GetTable(rest_, table_->staging));
  const std::string patch = StagingPatch(staging.json, before_, work_);
  if (!patch.empty()) HAKOBU_RETURN_IF_ERROR(PatchTable(rest_, table_->staging, patch).status());
  CrashPoint("publish.tags_carried");
  return Record({.step = "before", .detail = before_, .done = true});
}

absl::Status Publication::KeepPrevious() {
  if (!work_.options.keep_previous || before_.empty()) return absl::OkStatus();
  TableName previous = work_.target;
  previous.table += "_previous";
  return RunRecordedJob("previous", CopyConfiguration({work_.target}, previous, WriteDisposition::kTruncate));
}

absl::Status Publication::Copy(WriteDisposition disposition) {
  return RunRecordedJob("copy", CopyConfiguration({table_->staging}, work_.target, disposition));
}

absl::Status Publication::Merge() {
  QuerySpec query;
  query.project = run_->config->destination.billing_project;
  query.sql = MergeSql(work_.schema, table_->staging, work_.target, CursorField(*table_));
  query.location = run_->config->destination.location;
  return RunRecordedJob("merge", QueryConfiguration(query));
}

// The job's id is in the ledger before the job is started: whoever comes later finds that very job, finished
// or not.
absl::Status Publication::RunRecordedJob(const std::string& step, const std::string& configuration) {
  if (Done(step)) return absl::OkStatus();
  const DestinationConfig& destination = run_->config->destination;
  const auto id = [&](int attempt) {
    return MakeJobId(step, {run_->ledger->id(), run_->run_id, work_.name}, attempt);
  };
  const PublishStep* recorded = Find(step);
  const std::string job_id = recorded == nullptr ? id(0) : recorded->detail;
  HAKOBU_RETURN_IF_ERROR(Record({.step = step, .detail = job_id, .done = false}));
  CrashPoint("publish.job_recorded");
  const absl::StatusOr<Job> job =
      RunJob(rest_, {destination.billing_project, job_id, destination.location}, configuration);
  if (!job.ok()) {
    // A job that failed stays failed: the next try needs an id of its own. One whose end is not known keeps
    // it.
    const absl::StatusCode code = job.status().code();
    const bool unknown = code == absl::StatusCode::kCancelled || code == absl::StatusCode::kUnavailable ||
                         code == absl::StatusCode::kDeadlineExceeded;
    if (!unknown) {
      const int attempt = static_cast<int>(absl::ToUnixSeconds(run_->clock->Now()));
      HAKOBU_RETURN_IF_ERROR(Record({.step = step, .detail = id(attempt), .done = false}));
    }
    return Annotate(job.status(), fmt::format("{} job {}", step, job_id));
  }
  CrashPoint("publish.job_done");
  HAKOBU_RETURN_IF_ERROR(Record({.step = step, .detail = job_id, .done = true}));
  CrashPoint("publish.job_done_recorded");
  return absl::OkStatus();
}

absl::Status Publication::PatchTarget() {
  if (Done("metadata")) return absl::OkStatus();
  if (const PublishStep* step = Find("before"); step != nullptr) before_ = step->detail;
  HAKOBU_ASSIGN_OR_RETURN(const Resource target, GetTable(rest_, work_.target));
  const std::string patch = TargetPatch(target.json, before_, work_);
  if (!patch.empty()) {
    HAKOBU_RETURN_IF_ERROR(
        Annotate(PatchTable(rest_, work_.target, patch).status(), "describe the published table"));
  }
  CrashPoint("publish.metadata");
  return Record({.step = "metadata", .detail = "", .done = true});
}

absl::Status Publication::Drop() {
  if (table_->direct) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(DeleteTable(rest_, table_->staging));
  CrashPoint("publish.dropped");
  return absl::OkStatus();
}

}  // namespace

absl::Status PublishTable(RunContext* run, TableRun* table) {
  return Annotate(Publication(run, table).Publish(), fmt::format("{}: publish", table->work.name));
}

}  // namespace hakobu
