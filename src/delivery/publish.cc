#include "delivery/publish.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/cursor.h"
#include "delivery/direct_load.h"
#include "delivery/gone_rows.h"
#include "delivery/merge_sql.h"
#include "delivery/move/pending_chunk.h"
#include "delivery/publish_jobs.h"
#include "delivery/published_content.h"
#include "delivery/recorded_contract.h"
#include "delivery/run_contract.h"
#include "delivery/staging.h"
#include "delivery/table_resource.h"

namespace hakobu {
namespace {

constexpr size_t kStreamsPerCommit = 10'000;

// The cursor's name in BigQuery when rows can be staged twice; empty when they cannot.
std::string_view CursorField(const TableRun& table) {
  if (!table.by_cursor) return {};
  for (const Field& field : table.work.schema.fields) {
    if (table.work.source.columns[field.source_column].name == table.work.options.cursor) return field.name;
  }
  return {};
}

// Milliseconds since 1970 by BigQuery's clock; 0: it does not say.
int64_t EndOfJob(const std::string& job) {
  const nlohmann::json resource = nlohmann::json::parse(job, nullptr, false);
  if (!resource.is_object()) return 0;
  const std::string text = resource.value("/statistics/endTime"_json_pointer, "");
  int64_t ended = 0;
  std::from_chars(text.data(), text.data() + text.size(), ended);
  return ended;
}

// Of those whose rows are staged.
PublishStep JobStep(PublishMethod method) {
  HAKOBU_CHECK(method != PublishMethod::kLoad && method != PublishMethod::kStreams,
               "a table that is written straight to its target has no job that puts it in place",
               kStartAgain);
  if (method == PublishMethod::kCopy) return PublishStep::kCopy;
  return method == PublishMethod::kQuery ? PublishStep::kQuery : PublishStep::kMerge;
}

class Publication {
 public:
  Publication(RunContext* run, TableRun* table, PublishSteps steps)
      : run_(run),
        table_(table),
        rest_(*run->destination.rest),
        work_(table->work),
        steps_(std::move(steps)) {
    for (const ChunkRecord& chunk : table->chunks) {
      HAKOBU_CHECK(chunk.state == ChunkState::kDone,
                   "a table would be published before all of its chunks are there", kStartAgain);
      sent_.Add(ContentSum{chunk.rows, chunk.content});
    }
  }

  absl::Status Publish();

 private:
  bool replaces() const { return work_.mode == WriteMode::kReplace; }
  absl::Status CommitStreams();
  absl::Status RemoveGone();
  absl::Status PutInPlace();
  absl::Status ChooseAgain();
  absl::StatusOr<bool> JobIsThere(PublishMethod method);
  absl::Status PrepareTarget();
  absl::Status RunPublishJob();
  absl::StatusOr<uint64_t> Count(const TableName& name, const PublishTarget& state);
  absl::Status VerifyStaging();
  absl::Status RefuseOthers();
  absl::Status PatchTarget();
  absl::Status FinishReplacing();
  absl::Status CountTarget();
  std::string LastJob() const;
  QuerySpec Query(std::string sql) const;
  PublishQuestion Question() const;
  std::string UpsertSql(std::string_view partition) const;
  ContractSides Sides() const { return {.config = run_->config, .rest = &rest_, .ledger = run_->ledger}; }
  void Note(std::string note);

  RunContext* run_;
  TableRun* table_;
  Rest& rest_;
  const TableWork& work_;
  PublishSteps steps_;
  ContentSum sent_;
  PublishTarget target_;  // before the publication; after it from FinishReplacing on
};

absl::Status Publication::Publish() {
  CrashPoint("publish.begun");
  if (table_->publish.method == PublishMethod::kStreams) HAKOBU_RETURN_IF_ERROR(CommitStreams());
  if (!table_->direct() && !steps_.Done(PublishStep::kPublished)) HAKOBU_RETURN_IF_ERROR(PutInPlace());
  if (replaces()) HAKOBU_RETURN_IF_ERROR(FinishReplacing());
  if (work_.others != OtherRows::kStay) {
    HAKOBU_ASSIGN_OR_RETURN(target_, LookAtTarget(rest_, work_.target));
    HAKOBU_RETURN_IF_ERROR(CountTarget());
  }
  HAKOBU_RETURN_IF_ERROR(RecordRunContract(Sides(), run_->run_id, work_));
  CrashPoint("publish.contract_recorded");
  if (table_->next_cursor.has_value()) {
    HAKOBU_RETURN_IF_ERROR(MoveCursor(run_->ledger, run_->run_id, work_, *table_->next_cursor));
    CrashPoint("publish.cursor_moved");
  }
  if (work_.mode == WriteMode::kIncremental && work_.options.deletes == Deletes::kCompare)
    HAKOBU_RETURN_IF_ERROR(RemoveGone());
  if (!table_->direct()) {
    HAKOBU_RETURN_IF_ERROR(DeleteTable(rest_, table_->staging));
    CrashPoint("publish.dropped");
  }
  return run_->ledger->schemas()
      .RecordSchema(work_.target.ToString(), run_->run_id, SchemaJson(work_))
      .status();
}

absl::Status Publication::RemoveGone() {
  if (steps_.Done(PublishStep::kGone)) return absl::OkStatus();
  TableName keys = KeysTable(*run_, work_.target);
  if (const PublishStepRecord* earlier = steps_.Find(PublishStep::kKeys); earlier != nullptr)
    HAKOBU_RETURN_IF_ERROR(DeleteTable(rest_, {keys.project, keys.dataset, earlier->detail}));
  HAKOBU_RETURN_IF_ERROR(steps_.Record({.step = PublishStep::kKeys, .detail = keys.table, .done = false}));
  HAKOBU_ASSIGN_OR_RETURN(const uint64_t deleted, DeleteGoneRows(run_, *table_, keys));
  CrashPoint("publish.gone_deleted");
  if (deleted > 0) Note(fmt::format("{} rows that the source has not any more were deleted", deleted));
  return steps_.Record({.step = PublishStep::kGone, .detail = std::to_string(deleted), .done = true});
}

// All streams of the target at once: that is the publication. They are finalised only now, as the service
// lets go of what was finalised four hours ago [docs: write-api].
absl::Status Publication::CommitStreams() {
  if (steps_.Done(PublishStep::kCommit)) return absl::OkStatus();
  StorageWrite& storage = *run_->destination.storage;
  std::vector<std::string> streams;
  for (const ChunkRecord& chunk : table_->chunks) {
    if (chunk.stream.empty()) continue;
    streams.push_back(chunk.stream);
    if (table_->resumed) {
      HAKOBU_ASSIGN_OR_RETURN(const SealedStream found, FindSealed(storage, chunk.stream));
      if (found == SealedStream::kCommitted) continue;
    }
    HAKOBU_RETURN_IF_ERROR(
        Annotate(FinalizeStream(storage, chunk.stream, chunk.rows), "finalize the write streams"));
    CrashPoint("publish.finalized");
  }
  CrashPoint("publish.commit");
  for (size_t first = 0; first < streams.size(); first += kStreamsPerCommit) {
    const size_t last = std::min(first + kStreamsPerCommit, streams.size());
    const std::vector<std::string> some(streams.begin() + static_cast<ptrdiff_t>(first),
                                        streams.begin() + static_cast<ptrdiff_t>(last));
    HAKOBU_RETURN_IF_ERROR(Annotate(storage.BatchCommit(table_->staging, some), "commit the write streams"));
    CrashPoint("publish.committed");
  }
  HAKOBU_RETURN_IF_ERROR(
      steps_.Record({.step = PublishStep::kCommit, .detail = std::to_string(streams.size()), .done = true}));
  CrashPoint("publish.commit_recorded");
  return absl::OkStatus();
}

absl::Status Publication::PutInPlace() {
  HAKOBU_ASSIGN_OR_RETURN(target_, LookAtTarget(rest_, work_.target));
  HAKOBU_RETURN_IF_ERROR(VerifyStaging());
  HAKOBU_RETURN_IF_ERROR(RefuseOthers());
  if (replaces()) HAKOBU_RETURN_IF_ERROR(ChooseAgain());
  bool unchanged = false;
  if (replaces()) {
    HAKOBU_ASSIGN_OR_RETURN(unchanged, IsUnchanged(run_->ledger, work_, sent_, target_));
  }
  if (!unchanged) {
    HAKOBU_RETURN_IF_ERROR(PrepareTarget());
    HAKOBU_RETURN_IF_ERROR(RecordRunContractUnderway(Sides(), work_));
    HAKOBU_RETURN_IF_ERROR(RunPublishJob());
  }
  CrashPoint("publish.published");
  HAKOBU_RETURN_IF_ERROR(
      steps_.Record({.step = PublishStep::kPublished, .detail = unchanged ? "unchanged" : "", .done = true}));
  CrashPoint("publish.recorded");
  return absl::OkStatus();
}

PublishQuestion Publication::Question() const {
  PublishQuestion question{.mode = work_.mode,
                           .write = work_.write,
                           .chunks = std::max<size_t>(2, table_->chunks.size()),  // they are staged
                           .replaces_schema = work_.replaces_schema,
                           .partitioned = false,
                           .bytes = table_->bytes,
                           .target_bytes = 0,
                           .service = run_->service};
  const absl::StatusOr<TableFacts> facts = ReadTableFacts(target_.resource);
  if (target_.exists && facts.ok()) question.target_bytes = facts->bytes;
  return question;
}

// What hangs on the target may have changed while the table was read. A job that has been started already is
// gone on with: it cannot be taken back.
absl::Status Publication::ChooseAgain() {
  for (const PublishMethod method : {PublishMethod::kCopy, PublishMethod::kQuery, PublishMethod::kMerge}) {
    HAKOBU_ASSIGN_OR_RETURN(const bool there, JobIsThere(method));
    if (!there) continue;
    table_->publish.method = method;
    return absl::OkStatus();
  }
  table_->publish = ChoosePublish(Question(), target_);
  return absl::OkStatus();
}

absl::StatusOr<bool> Publication::JobIsThere(PublishMethod method) {
  const PublishStepRecord* step = steps_.Find(JobStep(method));
  if (step == nullptr) return false;
  if (step->done) return true;
  const DestinationConfig& destination = run_->config->destination;
  const absl::Status found =
      GetJob(rest_, {destination.billing_project, step->detail, destination.location}).status();
  if (found.code() == absl::StatusCode::kNotFound) return false;
  HAKOBU_RETURN_IF_ERROR(found);
  return true;
}

// Makes the target what the job needs: there, or with the new columns.
absl::Status Publication::PrepareTarget() {
  if (steps_.Done(JobStep(table_->publish.method))) return absl::OkStatus();
  const bool keeps_schema = KeepsSchema(table_->publish.method, Question(), target_);
  if (replaces() && keeps_schema && work_.replaces_schema) HAKOBU_RETURN_IF_ERROR(work_.cannot_alter);
  if (replaces()) {
    HAKOBU_RETURN_IF_ERROR(KeepPrevious(work_, target_, &steps_));
    if (steps_.Find(PublishStep::kBefore) == nullptr) {
      HAKOBU_RETURN_IF_ERROR(
          steps_.Record({.step = PublishStep::kBefore, .detail = target_.resource, .done = true}));
    }
    if (keeps_schema) HAKOBU_RETURN_IF_ERROR(AlterTarget(run_, work_, work_.ddl));
  }
  if (!target_.exists && table_->publish.method != PublishMethod::kCopy) {
    HAKOBU_RETURN_IF_ERROR(CreateTarget(run_, work_));
    CrashPoint("publish.target_created");
  }
  return absl::OkStatus();
}

QuerySpec Publication::Query(std::string sql) const {
  QuerySpec query;
  query.project = run_->config->destination.billing_project;
  query.sql = std::move(sql);
  query.location = run_->config->destination.location;
  return query;
}

std::string Publication::UpsertSql(std::string_view partition) const {
  if (work_.others == OtherRows::kStay)
    return MergeSql(work_.schema, table_->staging, work_.target, CursorField(*table_), partition);
  // What the old key told apart the new one may not.
  return work_.new_key ? ReplaceSql(work_.schema, table_->staging, work_.target, partition)
                       : MergeAllSql(work_.schema, table_->staging, work_.target, partition);
}

absl::Status Publication::RunPublishJob() {
  const PublishMethod method = table_->publish.method;
  const std::string_view partition = target_.require_filter ? std::string_view(target_.partition_column) : "";
  std::string configuration;
  if (method == PublishMethod::kCopy) {
    configuration = CopyConfiguration({table_->staging}, work_.target,
                                      replaces() ? WriteDisposition::kTruncate : WriteDisposition::kAppend,
                                      target_.kms_key);
  } else if (method == PublishMethod::kMerge) {
    configuration =
        QueryConfiguration(Query(ReplaceSql(work_.schema, table_->staging, work_.target, partition)));
  } else if (method == PublishMethod::kUpsert) {
    configuration = QueryConfiguration(Query(UpsertSql(partition)));
  } else {
    QuerySpec query = Query(SelectSql(work_.schema, table_->staging));
    query.destination = work_.target;
    query.kms_key = target_.kms_key;
    query.disposition = WriteDisposition::kAppend;
    if (replaces()) {
      query.disposition = !target_.exists || KeepsSchema(method, Question(), target_)
                              ? WriteDisposition::kTruncateData
                              : WriteDisposition::kTruncate;
    }
    configuration = QueryConfiguration(query);
  }
  return steps_.RunJobOnce(JobStep(method), table_->staging_created, configuration).status();
}

absl::StatusOr<uint64_t> Publication::Count(const TableName& name, const PublishTarget& state) {
  absl::StatusOr<uint64_t> found = CountTargetRows(rest_, run_->config->destination, name, state);
  return found.ok() ? found : Annotate(found.status(), "count " + name.ToString());
}

// The staging table holds exactly the rows that were sent, or nothing is published. (Its numRows would not
// tell: it leaves out for minutes what was streamed.)
absl::Status Publication::VerifyStaging() {
  HAKOBU_ASSIGN_OR_RETURN(const uint64_t found, Count(table_->staging, PublishTarget()));
  if (found == sent_.rows) return absl::OkStatus();
  return WithHint(absl::DataLossError(fmt::format("verify {}: sent {} rows, BigQuery holds {}",
                                                  table_->staging.ToString(), sent_.rows, found)),
                  "nothing was published; run again with --fresh, which reads the table anew");
}

// Rows of keys that the source has no more cannot come in the form, by the filter or by the key that is
// wanted now. They may be all that is left of something: only somebody who knows can let them go.
absl::Status Publication::RefuseOthers() {
  if (work_.others != OtherRows::kRefuse || !target_.exists || steps_.Done(PublishStep::kMerge))
    return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(
      const uint64_t others,
      QueryNumber(rest_, run_->config->destination,
                  CountOthersSql(work_.schema, table_->staging, work_.target,
                                 target_.require_filter ? target_.partition_column : "")));
  if (others == 0) return absl::OkStatus();
  return WithHint(
      absl::DataLossError(fmt::format(
          "{} has {} rows whose keys the source has not: they cannot be put in place anew as the others are",
          work_.target.ToString(), others)),
      fmt::format("deliver to another `target`; or `hakobu repair --recopy {}` lets the next run remove them",
                  work_.name));
}

void Publication::Note(std::string note) {
  absl::MutexLock lock(&table_->mutex);
  table_->notes.push_back(std::move(note));
}

absl::Status Publication::CountTarget() {
  HAKOBU_ASSIGN_OR_RETURN(const uint64_t found, Count(work_.target, target_));
  if (found == sent_.rows) return absl::OkStatus();
  if (found < sent_.rows && target_.partitions_expire) {
    Note(fmt::format("{} of {} rows are in partitions that have expired: BigQuery does not keep them",
                     sent_.rows - found, sent_.rows));
    return absl::OkStatus();
  }
  return WithHint(
      absl::AbortedError(fmt::format("{} was published with {} rows, and a query finds {}",
                                     work_.target.ToString(), sent_.rows, found)),
      "somebody else writes to it, or a row access policy hides rows from this identity; run again");
}

absl::Status Publication::PatchTarget() {
  const PublishStepRecord* before = steps_.Find(PublishStep::kBefore);
  const std::string patch =
      TargetPatch(target_.resource, before != nullptr ? before->detail : target_.resource, work_);
  if (patch.empty()) return absl::OkStatus();
  const absl::StatusOr<Resource> patched = PatchTable(rest_, work_.target, patch);
  if (!patched.ok()) return Annotate(patched.status(), "describe the published table");
  HAKOBU_ASSIGN_OR_RETURN(target_, ReadTargetState(patched->json));
  return absl::OkStatus();
}

// The job that put the rows in place; empty when there was nothing to send.
std::string Publication::LastJob() const {
  if (table_->direct()) return table_->chunks.empty() ? "" : table_->chunks.front().stream;
  const PublishStepRecord* published = steps_.Find(PublishStep::kPublished);
  if (published != nullptr && published->detail == "unchanged") return "";
  const PublishStepRecord* step = steps_.Find(JobStep(table_->publish.method));
  return step == nullptr ? "" : step->detail;
}

absl::Status Publication::FinishReplacing() {
  const std::string job_id = LastJob();
  if (!job_id.empty() && !work_.ddl_after.empty() && work_.existing.has_value() &&
      KeepsSchema(table_->publish.method, Question(), target_.exists ? target_ : table_->target)) {
    HAKOBU_RETURN_IF_ERROR(AlterTarget(run_, work_, work_.ddl_after));
  }
  HAKOBU_ASSIGN_OR_RETURN(const Resource resource, GetTable(rest_, work_.target));
  HAKOBU_ASSIGN_OR_RETURN(target_, ReadTargetState(resource.json));
  HAKOBU_RETURN_IF_ERROR(PatchTarget());
  CrashPoint("publish.metadata");
  if (job_id.empty()) {
    table_->unchanged = true;
    Note("unchanged since it was last published: nothing was sent");
    return absl::OkStatus();
  }
  HAKOBU_RETURN_IF_ERROR(CountTarget());
  CrashPoint("publish.counted");
  const DestinationConfig& destination = run_->config->destination;
  HAKOBU_ASSIGN_OR_RETURN(const Job job,
                          GetJob(rest_, {destination.billing_project, job_id, destination.location}));
  HAKOBU_RETURN_IF_ERROR(
      KeepPublished(run_->ledger, run_->run_id, work_, sent_, target_, EndOfJob(job.json)));
  CrashPoint("publish.content_recorded");
  return absl::OkStatus();
}

}  // namespace

absl::Status PublishTable(RunContext* run, TableRun* table) {
  const std::string what = fmt::format("{}: publish", table->work.name);
  absl::StatusOr<PublishSteps> steps = PublishSteps::Read(run, table->work.name);
  if (!steps.ok()) return Annotate(steps.status(), what);
  return Annotate(Publication(run, table, *std::move(steps)).Publish(), what);
}

}  // namespace hakobu
