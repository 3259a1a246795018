#include "delivery/run_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/cursor.h"
#include "delivery/move/pending_chunk.h"
#include "delivery/move/retry.h"
#include "delivery/staging.h"
#include "delivery/table_chunks.h"

namespace hakobu {
namespace {

using nlohmann::json;

std::unique_ptr<TableRun> MakeTableRun(RunContext* run, TableWork work) {
  auto table = std::make_unique<TableRun>();
  table->decoder = std::make_unique<RowDecoder>(work.source, work.columns);
  table->values.emplace(run->ledger->id(), work);
  table->where = work.options.where;
  table->read_as = work.source;
  table->estimated_rows = work.source.estimated_rows;
  absl::MutexLock lock(&table->mutex);
  table->notes = work.notes;
  table->record = {.run_id = run->run_id,
                   .source = work.name,
                   .target = work.target.ToString(),
                   .mode = std::string(WriteModeName(work.mode)),
                   .state = RunTableState::kPlanned};
  table->work = std::move(work);
  return table;
}

void SetMethod(RunContext* run, PublishChoice choice, TableRun* table) {
  table->publish = std::move(choice);
  table->staging = table->direct() ? table->work.target : StagingName(*run, table->work.target);
  absl::MutexLock lock(&table->mutex);
  if (!table->direct()) table->record.staging = table->staging.ToString();
}

// The configuration's own filter is no part of it: a run is continued only while that is the same.
std::string PlanJson(const TableRun& table) {
  json plan = {
      {"window", table.values->Write(table.window)},
      {"publish", PublishMethodName(table.publish.method)},
      {"estimated_rows", table.estimated_rows},
      {"next_cursor",
       table.next_cursor.has_value() ? table.values->Write(table.next_cursor->ToJson()) : std::string()}};
  // Places of columns: a run is continued only while the schema is the same.
  if (table.by_cursor) {
    plan["range"] = {{"index", table.read_as.key->name}, {"columns", table.read_as.key->columns}};
  }
  return plan.dump(-1, ' ', false, json::error_handler_t::replace);
}

void ReadOnly(std::string window, TableRun* table) {
  table->window = std::move(window);
  if (table->window.empty()) return;
  table->where =
      table->where.empty() ? table->window : fmt::format("({}\n) AND ({})", table->where, table->window);
}

void RangeOver(TableRun* table, SourceKey range) {
  table->read_as.key = std::move(range);
  table->by_cursor = true;
}

absl::StatusOr<std::unique_ptr<TableRun>> BeginTable(RunContext* run, Connection* source, TableWork work) {
  std::unique_ptr<TableRun> table = MakeTableRun(run, std::move(work));
  std::optional<Window> window;
  std::vector<std::string> notes;
  if (table->work.mode == WriteMode::kIncremental) {
    HAKOBU_ASSIGN_OR_RETURN(window, WindowOf(run, source, table->work));
    table->next_cursor = window->next;
    notes = window->notes;
  }
  HAKOBU_ASSIGN_OR_RETURN(
      const TableChunks plan,
      PlanTableChunks(run, source, table->work, window.has_value() ? &*window : nullptr, &notes));
  ReadOnly(plan.condition, table.get());
  for (size_t number = 0; number < plan.chunks.size(); ++number) {
    table->chunks.push_back(
        {.number = number, .bounds_json = table->values->Write(plan.chunks[number].ToJson())});
  }
  table->estimated_rows = plan.estimated_rows;
  if (plan.range.has_value()) RangeOver(table.get(), *plan.range);
  HAKOBU_ASSIGN_OR_RETURN(PublishChoice choice,
                          ChooseFor(run, table->work, plan.chunks.size(),
                                    EstimatedBytes(table->work.source, plan.estimated_rows)));
  SetMethod(run, std::move(choice), table.get());
  absl::MutexLock lock(&table->mutex);
  table->notes.insert(table->notes.end(), notes.begin(), notes.end());
  table->record.plan_json = PlanJson(*table);
  HAKOBU_RETURN_IF_ERROR(run->ledger->runs().AddTable(table->record, table->chunks));
  CrashPoint("run.table_added");
  return table;
}

absl::Status ReadAnew(RunContext* run, TableRun* table, ChunkRecord* chunk) {
  *chunk = {.number = chunk->number,
            .bounds_json = chunk->bounds_json,
            .state = ChunkState::kReading,
            .attempts = chunk->attempts};
  return run->ledger->runs().SealChunk(run->run_id, table->work.name, *chunk, {});
}

// The service keeps what is not committed for hours or days.
absl::Status ForgetLapsedStreams(RunContext* run, TableRun* table) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<PublishStepRecord> steps,
                          run->ledger->runs().Steps(run->run_id, table->work.name));
  const bool committed = std::any_of(steps.begin(), steps.end(), [](const PublishStepRecord& step) {
    return step.step == PublishStep::kCommit;
  });
  if (committed) return absl::OkStatus();
  size_t gone = 0;
  for (ChunkRecord& chunk : table->chunks) {
    if (chunk.state != ChunkState::kDone || chunk.stream.empty()) continue;
    HAKOBU_ASSIGN_OR_RETURN(const SealedStream found, FindSealed(*run->destination.storage, chunk.stream));
    if (found != SealedStream::kGone) continue;
    HAKOBU_RETURN_IF_ERROR(ReadAnew(run, table, &chunk));
    ++gone;
  }
  if (gone == 0) return absl::OkStatus();
  absl::MutexLock lock(&table->mutex);
  table->notes.push_back(fmt::format("BigQuery no longer had the rows of {} chunks: read anew", gone));
  return absl::OkStatus();
}

// Chunks count only in the table they were written to: one of its name that was made later has none of them.
// Unless the publication has begun: then its job tells what was in it.
absl::Status ForgetLostChunks(RunContext* run, TableRun* table) {
  if (table->publish.method == PublishMethod::kStreams) return ForgetLapsedStreams(run, table);
  if (table->direct()) return absl::OkStatus();
  const bool any = std::any_of(table->chunks.begin(), table->chunks.end(), [](const ChunkRecord& chunk) {
    return chunk.state == ChunkState::kDone || !chunk.stream.empty();
  });
  if (!any) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<PublishStepRecord> steps,
                          run->ledger->runs().Steps(run->run_id, table->work.name));
  std::string created;
  for (const PublishStepRecord& step : steps) {
    if (step.step == PublishStep::kStaging) created = step.detail;
    if (step.step != PublishStep::kStaging && step.step != PublishStep::kBefore) return absl::OkStatus();
  }
  const absl::StatusOr<std::string> now = StagingCreated(*run->destination.rest, table->staging);
  if (now.ok() && *now == created) return absl::OkStatus();
  if (!now.ok() && now.status().code() != absl::StatusCode::kNotFound) return now.status();
  for (ChunkRecord& chunk : table->chunks) HAKOBU_RETURN_IF_ERROR(ReadAnew(run, table, &chunk));
  absl::MutexLock lock(&table->mutex);
  table->notes.push_back("the staging table was gone: read anew");
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<TableRun>> ContinueTable(RunContext* run, TableWork work,
                                                        RunTableRecord record) {
  std::unique_ptr<TableRun> table = MakeTableRun(run, std::move(work));
  table->resumed = true;
  const json plan = json::parse(record.plan_json, nullptr, false);
  if (!plan.is_object())
    return absl::InternalError("the ledger's plan of " + record.source + " is no JSON object");
  HAKOBU_ASSIGN_OR_RETURN(std::string window, table->values->Read(plan.value("window", "")));
  ReadOnly(std::move(window), table.get());
  SetMethod(run, PublishChoice{PublishMethodOf(plan.value("publish", "")), "", 0}, table.get());
  table->estimated_rows = plan.value("estimated_rows", table->estimated_rows);
  if (plan.contains("range")) {
    const json& range = plan["range"];
    RangeOver(table.get(),
              {.name = range.value("index", ""), .columns = range.value("columns", std::vector<size_t>())});
  }
  HAKOBU_ASSIGN_OR_RETURN(const std::string cursor, table->values->Read(plan.value("next_cursor", "")));
  if (!cursor.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(table->next_cursor, CursorState::FromJson(cursor));
  }
  HAKOBU_ASSIGN_OR_RETURN(table->chunks, run->ledger->runs().Chunks(run->run_id, record.source));
  HAKOBU_RETURN_IF_ERROR(ForgetLostChunks(run, table.get()));
  for (const ChunkRecord& chunk : table->chunks) {
    if (chunk.state != ChunkState::kDone) continue;
    table->rows += chunk.rows;
    table->bytes += chunk.bytes;
    ++table->chunks_done;
  }
  absl::MutexLock lock(&table->mutex);
  table->record = std::move(record);
  return table;
}

// A table that is there with its failure, and is not delivered.
std::unique_ptr<TableRun> FailedTable(RunContext* run, TableWork work, const absl::Status& failure) {
  std::unique_ptr<TableRun> table = MakeTableRun(run, std::move(work));
  table->stopped = true;
  absl::MutexLock lock(&table->mutex);
  table->failure = failure;
  table->record.state = RunTableState::kFailed;
  table->record.error = std::string(View(failure.message()));
  return table;
}

absl::StatusOr<std::unique_ptr<TableRun>> BeginOrFail(RunContext* run, Connection* source, TableWork work) {
  absl::StatusOr<std::unique_ptr<TableRun>> table = BeginTable(run, source, work);
  if (table.ok()) return table;
  const absl::Status& failure = table.status();
  const bool general = PassesByItself(failure) || run->cancel->cancelled() ||
                       failure.code() == absl::StatusCode::kResourceExhausted;
  if (general) return failure;
  std::unique_ptr<TableRun> failed =
      FailedTable(run, std::move(work), Annotate(failure, fmt::format("{}: plan", work.name)));
  absl::MutexLock lock(&failed->mutex);
  HAKOBU_RETURN_IF_ERROR(run->ledger->runs().AddTable(failed->record, {}));
  return failed;
}

}  // namespace

absl::StatusOr<Window> WindowOf(RunContext* run, Connection* source, const TableWork& work) {
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<CursorState> state, ReadCursor(run->ledger, work));
  HAKOBU_ASSIGN_OR_RETURN(Window window, PlanWindow(source, work, state));
  // Rows beyond the window's end are in the target as well, in the form that is to go.
  if (work.from_start) {
    window.condition.clear();
    window.strays.clear();
  }
  return window;
}

absl::StatusOr<PublishChoice> ChooseFor(RunContext* run, const TableWork& work, size_t chunks,
                                        uint64_t bytes) {
  PublishTarget target;
  if (work.existing.has_value()) {
    HAKOBU_ASSIGN_OR_RETURN(target, LookAtTarget(*run->destination.rest, work.target));
  }
  PublishQuestion question{
      .mode = work.mode,
      .write = work.write,
      .chunks = chunks,
      .replaces_schema = work.replaces_schema,
      .partitioned = work.options.partition.has_value() || !target.partition_column.empty(),
      .bytes = bytes,
      .target_bytes = 0,
      .service = run->service};
  if (target.exists) {
    HAKOBU_ASSIGN_OR_RETURN(const TableFacts facts, ReadTableFacts(target.resource));
    question.target_bytes = facts.bytes;
  }
  PublishChoice choice = ChoosePublish(question, target);
  if (work.replaces_schema && KeepsSchema(choice.method, question, target)) {
    HAKOBU_RETURN_IF_ERROR(work.cannot_alter);
  }
  return choice;
}

absl::StatusOr<TableRuns> BeginTables(RunContext* run, Connection* source, std::vector<TableWork> works) {
  TableRuns tables;
  for (TableWork& work : works) {
    HAKOBU_RETURN_IF_ERROR(run->cancel->Check());
    HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<TableRun> table, BeginOrFail(run, source, std::move(work)));
    tables.push_back(std::move(table));
  }
  return tables;
}

absl::StatusOr<std::unique_ptr<TableRun>> BeginReadTable(RunContext* run, TableWork work, uint64_t rows,
                                                         uint64_t bytes) {
  std::unique_ptr<TableRun> table = MakeTableRun(run, std::move(work));
  table->chunks.push_back({.number = 0, .bounds_json = table->values->Write(Chunk().ToJson())});
  table->estimated_rows = rows;
  HAKOBU_ASSIGN_OR_RETURN(PublishChoice choice, ChooseFor(run, table->work, 1, bytes));
  SetMethod(run, std::move(choice), table.get());
  absl::MutexLock lock(&table->mutex);
  table->record.plan_json = PlanJson(*table);
  HAKOBU_RETURN_IF_ERROR(run->ledger->runs().AddTable(table->record, table->chunks));
  CrashPoint("run.table_added");
  return table;
}

absl::StatusOr<std::unique_ptr<TableRun>> BeginScan(RunContext* run, Connection* source, TableWork work) {
  std::unique_ptr<TableRun> table = MakeTableRun(run, std::move(work));
  std::vector<std::string> notes;
  HAKOBU_ASSIGN_OR_RETURN(const TableChunks plan, PlanTableChunks(run, source, table->work, nullptr, &notes));
  for (size_t number = 0; number < plan.chunks.size(); ++number)
    table->chunks.push_back({.number = number, .bounds_json = plan.chunks[number].ToJson()});
  table->estimated_rows = plan.estimated_rows;
  absl::MutexLock lock(&table->mutex);
  table->notes.insert(table->notes.end(), notes.begin(), notes.end());
  HAKOBU_RETURN_IF_ERROR(run->ledger->runs().AddTable(table->record, {}));
  return table;
}

absl::StatusOr<bool> CanContinue(Ledger* ledger, const std::string& run_id, const TableWork& work) {
  const SealedValues values(ledger->id(), work);
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<ChunkRecord> chunks, ledger->runs().Chunks(run_id, work.name));
  if (chunks.empty()) return true;
  const absl::Status read = values.Read(chunks.front().bounds_json).status();
  return absl::IsFailedPrecondition(read) ? absl::StatusOr<bool>(false)
                                          : (read.ok() ? absl::StatusOr<bool>(true) : read);
}

absl::StatusOr<TableRuns> ContinueTables(RunContext* run, Connection* source, std::vector<TableWork> works) {
  HAKOBU_ASSIGN_OR_RETURN(std::vector<RunTableRecord> records, run->ledger->runs().Tables(run->run_id));
  std::map<std::string, RunTableRecord> by_source;
  for (RunTableRecord& record : records) by_source.emplace(record.source, std::move(record));
  TableRuns tables;
  for (TableWork& work : works) {
    HAKOBU_RETURN_IF_ERROR(run->cancel->Check());
    const auto record = by_source.find(work.name);
    absl::StatusOr<std::unique_ptr<TableRun>> table =
        record == by_source.end() ? BeginOrFail(run, source, std::move(work))
                                  : ContinueTable(run, std::move(work), std::move(record->second));
    HAKOBU_RETURN_IF_ERROR(table.status());
    tables.push_back(*std::move(table));
  }
  return tables;
}

}  // namespace hakobu
