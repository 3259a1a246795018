#include "delivery/run_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/staging.h"
#include "delivery/table_chunks.h"

namespace hakobu {
namespace {

using nlohmann::json;

std::unique_ptr<TableRun> MakeTableRun(RunContext* run, TableWork work) {
  auto table = std::make_unique<TableRun>();
  table->direct = work.mode == WriteMode::kAppend && work.write == WriteBy::kStorage;
  table->staging = table->direct ? work.target : StagingName(*run, work.target);
  table->decoder = std::make_unique<RowDecoder>(work.source, work.columns);
  table->first_load = work.mode == WriteMode::kIncremental && !work.existing.has_value();
  table->where = work.options.where;
  table->read_as = work.source;
  table->estimated_rows = work.source.estimated_rows;
  absl::MutexLock lock(&table->mutex);
  table->notes = work.notes;
  table->record = {.run_id = run->run_id,
                   .source = work.name,
                   .target = work.target.ToString(),
                   .mode = std::string(WriteModeName(work.mode)),
                   .state = "planned",
                   .staging = table->direct ? "" : table->staging.ToString()};
  table->work = std::move(work);
  return table;
}

absl::StatusOr<std::optional<CursorState>> ReadCursor(RunContext* run, const TableWork& work) {
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<std::string> text,
                          run->ledger->runs().Cursor(work.name, work.target.ToString()));
  // A table that is gone from BigQuery begins from nothing, whatever the ledger remembers.
  if (!text.has_value() || !work.existing.has_value()) return std::optional<CursorState>();
  HAKOBU_ASSIGN_OR_RETURN(CursorState state, CursorState::FromJson(*text));
  return std::optional<CursorState>(std::move(state));
}

std::string PlanJson(const TableRun& table) {
  json plan = {{"where", table.where},
               {"first_load", table.first_load},
               {"estimated_rows", table.estimated_rows},
               {"next_cursor", table.next_cursor.has_value() ? table.next_cursor->ToJson() : ""}};
  // Places of columns: a run is continued only while the schema is the same.
  if (table.by_cursor) {
    plan["range"] = {{"index", table.read_as.key->name}, {"columns", table.read_as.key->columns}};
  }
  return plan.dump(-1, ' ', false, json::error_handler_t::replace);
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
    HAKOBU_ASSIGN_OR_RETURN(const std::optional<CursorState> state, ReadCursor(run, table->work));
    HAKOBU_ASSIGN_OR_RETURN(window, PlanWindow(source, table->work, state));
    table->next_cursor = window->next;
    notes = window->notes;
    if (!window->condition.empty()) {
      table->where = table->where.empty() ? window->condition
                                          : fmt::format("({}\n) AND ({})", table->where, window->condition);
    }
  }
  HAKOBU_ASSIGN_OR_RETURN(
      const TableChunks plan,
      PlanTableChunks(run, source, table->work, window.has_value() ? &*window : nullptr, &notes));
  for (size_t number = 0; number < plan.chunks.size(); ++number) {
    table->chunks.push_back({.number = number, .bounds_json = plan.chunks[number].ToJson()});
  }
  table->estimated_rows = plan.estimated_rows;
  if (plan.range.has_value()) RangeOver(table.get(), *plan.range);
  absl::MutexLock lock(&table->mutex);
  table->notes.insert(table->notes.end(), notes.begin(), notes.end());
  table->record.plan_json = PlanJson(*table);
  HAKOBU_RETURN_IF_ERROR(run->ledger->runs().AddTable(table->record, table->chunks));
  CrashPoint("run.table_added");
  return table;
}

absl::StatusOr<std::unique_ptr<TableRun>> ContinueTable(RunContext* run, TableWork work,
                                                        RunTableRecord record) {
  std::unique_ptr<TableRun> table = MakeTableRun(run, std::move(work));
  table->resumed = true;
  const json plan = json::parse(record.plan_json, nullptr, false);
  if (!plan.is_object())
    return absl::InternalError("the ledger's plan of " + record.source + " is no JSON object");
  table->where = plan.value("where", "");
  table->first_load = plan.value("first_load", false);
  table->estimated_rows = plan.value("estimated_rows", table->estimated_rows);
  if (plan.contains("range")) {
    const json& range = plan["range"];
    RangeOver(table.get(),
              {.name = range.value("index", ""), .columns = range.value("columns", std::vector<size_t>())});
  }
  const std::string cursor = plan.value("next_cursor", "");
  if (!cursor.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(table->next_cursor, CursorState::FromJson(cursor));
  }
  HAKOBU_ASSIGN_OR_RETURN(table->chunks, run->ledger->runs().Chunks(run->run_id, record.source));
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

}  // namespace

absl::StatusOr<TableRuns> BeginTables(RunContext* run, Connection* source, std::vector<TableWork> works) {
  TableRuns tables;
  for (TableWork& work : works) {
    HAKOBU_RETURN_IF_ERROR(run->cancel->Check());
    HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<TableRun> table, BeginTable(run, source, std::move(work)));
    tables.push_back(std::move(table));
  }
  return tables;
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
        record == by_source.end() ? BeginTable(run, source, std::move(work))
                                  : ContinueTable(run, std::move(work), std::move(record->second));
    HAKOBU_RETURN_IF_ERROR(table.status());
    tables.push_back(*std::move(table));
  }
  return tables;
}

absl::StatusOr<bool> CanContinue(RunContext* run, const std::string& run_id) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<RunTableRecord> records, run->ledger->runs().Tables(run_id));
  for (const RunTableRecord& record : records) {
    if (record.state == "done" || record.state == "planned" || record.staging.empty()) continue;
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<PublishStep> steps,
                            run->ledger->runs().Steps(run_id, record.source));
    bool published = false;
    for (const PublishStep& step : steps) published |= step.step == "published" && step.done;
    if (published) continue;
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<ChunkRecord> chunks,
                            run->ledger->runs().Chunks(run_id, record.source));
    const bool any_done = std::any_of(chunks.begin(), chunks.end(), [](const ChunkRecord& chunk) {
      return chunk.state == ChunkState::kDone || !chunk.stream.empty();
    });
    if (!any_done) continue;
    const size_t dot = record.staging.find('.');
    const size_t second = record.staging.find('.', dot + 1);
    const TableName staging{record.staging.substr(0, dot), record.staging.substr(dot + 1, second - dot - 1),
                            record.staging.substr(second + 1)};
    const absl::Status there = GetTable(*run->destination.rest, staging).status();
    if (there.code() == absl::StatusCode::kNotFound) return false;
    HAKOBU_RETURN_IF_ERROR(there);
  }
  return true;
}

}  // namespace hakobu
