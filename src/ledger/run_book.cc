#include "ledger/run_book.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/status.h"

namespace hakobu {

namespace {

constexpr size_t kFirstKeys = 10;

// A JSON array; what is not UTF-8 is replaced.
constexpr Column<QuarantineRecord> kFirstKeysColumn = {
    "first_keys",
    [](const QuarantineRecord& record, SqliteRows* rows) {
      rows->Bind(
          nlohmann::json(record.first_keys).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    },
    [](const SqliteRows& rows, int column, QuarantineRecord* record) {
      const auto keys = nlohmann::json::parse(rows.Text(column), nullptr, /*allow_exceptions=*/false);
      for (const auto& key : keys) {
        if (key.is_string()) record->first_keys.push_back(key);
      }
      return keys.is_array();
    }};

const RecordTable<RunRecord>& RunRows() {
  using R = RunRecord;
  static const auto* const table = new RecordTable<R>(
      "runs", {}, 1,
      {ColumnOf<&R::id>("id"), ColumnOf<&R::started>("started_us"), ColumnOf<&R::finished>("finished_us"),
       ColumnOf<&R::state>("state"), ColumnOf<&R::fingerprint>("fingerprint"), ColumnOf<&R::pid>("pid"),
       ColumnOf<&R::log_position_before>("log_position_before"), ColumnOf<&R::error>("error"),
       ColumnOf<&R::report_json>("report_json"), ColumnOf<&R::tenant>("tenant")});
  return *table;
}

const RecordTable<RunTableRecord>& RunTableRows() {
  using R = RunTableRecord;
  static const auto* const table = new RecordTable<R>(
      "run_tables", {}, 2,
      {ColumnOf<&R::run_id>("run_id"), ColumnOf<&R::source>("source"), ColumnOf<&R::target>("target"),
       ColumnOf<&R::mode>("mode"), ColumnOf<&R::state>("state"), ColumnOf<&R::staging>("staging"),
       ColumnOf<&R::plan_json>("plan_json"), ColumnOf<&R::error>("error"), ColumnOf<&R::rows>("rows"),
       ColumnOf<&R::bytes>("bytes"), ColumnOf<&R::seconds>("seconds")});
  return *table;
}

const RecordTable<ChunkRecord>& RunChunkRows() {
  using R = ChunkRecord;
  static const auto* const table = new RecordTable<R>(
      "chunks", {"run_id", "source"}, 1,
      {ColumnOf<&R::number>("number"), ColumnOf<&R::bounds_json>("bounds_json"), ColumnOf<&R::state>("state"),
       ColumnOf<&R::stream>("stream"), ColumnOf<&R::rows>("rows"), ColumnOf<&R::bytes>("bytes"),
       ColumnOf<&R::attempts>("attempts"), ColumnOf<&R::content>("content")});
  return *table;
}

const RecordTable<QuarantineRecord>& QuarantineRows() {
  using R = QuarantineRecord;
  static const auto* const table =
      new RecordTable<R>("quarantined", {"run_id", "source", "chunk"}, 1,
                         {ColumnOf<&R::column>("column_name"), ColumnOf<&R::count>("count"), kFirstKeysColumn,
                          ColumnOf<&R::example>("example")});
  return *table;
}

const RecordTable<PublishStepRecord>& StepRows() {
  using R = PublishStepRecord;
  static const auto* const table = new RecordTable<R>(
      "publish_steps", {"run_id", "source"}, 1,
      {ColumnOf<&R::step>("step"), ColumnOf<&R::detail>("detail"), ColumnOf<&R::done>("done")});
  return *table;
}

struct CursorRecord {
  std::string source{};
  std::string target{};
  std::string value{};
  std::string run_id{};
};

const RecordTable<CursorRecord>& CursorRows() {
  using R = CursorRecord;
  static const auto* const table =
      new RecordTable<R>("cursors", {}, 2,
                         {ColumnOf<&R::source>("source"), ColumnOf<&R::target>("target"),
                          ColumnOf<&R::value>("value"), ColumnOf<&R::run_id>("run_id")});
  return *table;
}

constexpr char kOfTable[] = "WHERE run_id = ? AND source = ?";

// A chunk that the run did not plan cannot be begun or finished.
absl::Status OneChunk(const absl::StatusOr<int64_t>& changed, const std::string& source, uint64_t number) {
  HAKOBU_RETURN_IF_ERROR(changed.status());
  if (*changed == 1) return absl::OkStatus();
  return absl::InternalError("the ledger has no chunk " + std::to_string(number) + " of " + source);
}

absl::Status Advance(Session* session, const std::string& run_id, const std::string& source,
                     const PublishStepRecord& step) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<PublishStepRecord> held,
                          session->Read(StepRows(), kOfTable, run_id, source));
  PublishLife life;
  for (const PublishStepRecord& each : held)
    life.Set(each.step, each.done ? PublishStepState::kDone : PublishStepState::kBegun);
  const absl::StatusOr<PublishStepState> next =
      Next(life, step.step, step.done ? PublishStepEvent::kFinish : PublishStepEvent::kBegin);
  if (!next.ok()) return Annotate(next.status(), source);
  return session->Put(StepRows(), step, run_id, source);
}

}  // namespace

absl::Status RunBook::StartRun(const RunRecord& run) {
  RunRecord begun = run;
  begun.state = RunState::kRunning;
  begun.finished = absl::InfinitePast();
  return Session(file_).Insert(RunRows(), begun);
}

absl::Status RunBook::FinishRun(const std::string& run_id, RunState state, absl::Time finished,
                                const std::string& error, const std::string& report_json) {
  return Session(file_).Run(
      "UPDATE runs SET state = ?, finished_us = ?, error = ?, report_json = ? WHERE id = ?", state, finished,
      error, report_json, run_id);
}

absl::Status RunBook::SetRunState(const std::string& run_id, RunState state) {
  return Session(file_).Run("UPDATE runs SET state = ? WHERE id = ?", state, run_id);
}

absl::StatusOr<std::vector<RunRecord>> RunBook::Runs(size_t newest) {
  return Session(file_).Read(RunRows(), "WHERE tenant = '' ORDER BY started_us DESC, id DESC LIMIT ?",
                             static_cast<uint64_t>(newest));
}

absl::StatusOr<std::optional<RunRecord>> RunBook::ResumableRun(const std::string& fingerprint) {
  return Session(file_).ReadFirst(
      RunRows(),
      "WHERE fingerprint = ? AND state IN ('running', 'cancelled', 'interrupted') "
      "ORDER BY started_us DESC, id DESC LIMIT 1",
      fingerprint);
}

absl::StatusOr<std::vector<RunRecord>> RunBook::UnfinishedRuns(const std::string& tenant) {
  return Session(file_).Read(
      RunRows(),
      "WHERE tenant = ? AND state IN ('running', 'cancelled', 'interrupted') ORDER BY started_us, id",
      tenant);
}

absl::Status RunBook::AddTable(const RunTableRecord& table, const std::vector<ChunkRecord>& chunks) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_RETURN_IF_ERROR(session.Insert(RunTableRows(), table));
  for (const ChunkRecord& chunk : chunks) {
    const ChunkRecord planned{.number = chunk.number, .bounds_json = chunk.bounds_json};
    HAKOBU_RETURN_IF_ERROR(session.Insert(RunChunkRows(), planned, table.run_id, table.source));
  }
  return session.Commit();
}

absl::Status RunBook::AdvanceTable(RunTableRecord* table, RunTableEvent event) {
  const absl::StatusOr<RunTableState> next = Next(table->state, event);
  if (!next.ok()) return Annotate(next.status(), table->source);
  RunTableRecord moved = *table;
  moved.state = *next;
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_ASSIGN_OR_RETURN(
      const std::optional<std::string> held,
      session.ReadValueOf<std::string>("SELECT state FROM run_tables WHERE run_id = ? AND source = ?",
                                       table->run_id, table->source));
  if (held != NameOf(table->state)) {
    return absl::FailedPreconditionError(table->source + ": expected the ledger to hold `" +
                                         std::string(NameOf(table->state)) + "`, found `" +
                                         held.value_or("nothing") + "`");
  }
  HAKOBU_RETURN_IF_ERROR(session.Update(RunTableRows(), moved).status());
  HAKOBU_RETURN_IF_ERROR(session.Commit());
  table->state = *next;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RunTableRecord>> RunBook::Tables(const std::string& run_id) {
  return Session(file_).Read(RunTableRows(), "WHERE run_id = ? ORDER BY source", run_id);
}

absl::StatusOr<std::vector<RunTableRecord>> RunBook::Deliveries(const std::string& target) {
  return Session(file_).Read(RunTableRows(), "WHERE target = ? AND state = 'done' ORDER BY run_id", target);
}

absl::StatusOr<std::vector<ChunkRecord>> RunBook::Chunks(const std::string& run_id,
                                                         const std::string& source) {
  return Session(file_).Read(RunChunkRows(), "WHERE run_id = ? AND source = ? ORDER BY number", run_id,
                             source);
}

absl::Status RunBook::BeginChunk(const std::string& run_id, const std::string& source, uint64_t number) {
  return OneChunk(Session(file_).Change("UPDATE chunks SET state = 'reading', attempts = attempts + 1 "
                                        "WHERE run_id = ? AND source = ? AND number = ?",
                                        run_id, source, number),
                  source, number);
}

absl::Status RunBook::SealChunk(const std::string& run_id, const std::string& source,
                                const ChunkRecord& chunk, const std::vector<QuarantineRecord>& quarantined) {
  return WriteChunk(run_id, source, chunk, ChunkState::kReading, quarantined);
}

absl::Status RunBook::FinishSealedChunk(const std::string& run_id, const std::string& source,
                                        uint64_t number) {
  return OneChunk(
      Session(file_).Change("UPDATE chunks SET state = 'done' WHERE run_id = ? AND source = ? AND number = ?",
                            run_id, source, number),
      source, number);
}

absl::Status RunBook::FinishChunk(const std::string& run_id, const std::string& source,
                                  const ChunkRecord& chunk,
                                  const std::vector<QuarantineRecord>& quarantined) {
  return WriteChunk(run_id, source, chunk, ChunkState::kDone, quarantined);
}

absl::Status RunBook::WriteChunk(const std::string& run_id, const std::string& source,
                                 const ChunkRecord& chunk, ChunkState state,
                                 const std::vector<QuarantineRecord>& quarantined) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_RETURN_IF_ERROR(
      OneChunk(session.Change("UPDATE chunks SET state = ?, stream = ?, `rows` = ?, bytes = ?, content = ? "
                              "WHERE run_id = ? AND source = ? AND number = ?",
                              state, chunk.stream, chunk.rows, chunk.bytes, chunk.content, run_id, source,
                              chunk.number),
               source, chunk.number));
  for (const QuarantineRecord& column : quarantined)
    HAKOBU_RETURN_IF_ERROR(session.Put(QuarantineRows(), column, run_id, source, chunk.number));
  CrashPoint("ledger.checkpoint");
  return session.Commit();
}

absl::StatusOr<std::vector<QuarantineRecord>> RunBook::Quarantined(const std::string& run_id,
                                                                   const std::string& source) {
  HAKOBU_ASSIGN_OR_RETURN(
      std::vector<QuarantineRecord> found,
      Session(file_).Read(QuarantineRows(), "WHERE run_id = ? AND source = ? ORDER BY column_name, chunk",
                          run_id, source));
  std::vector<QuarantineRecord> columns;
  for (QuarantineRecord& each : found) {
    if (columns.empty() || columns.back().column != each.column) {
      each.first_keys.resize(std::min(each.first_keys.size(), kFirstKeys));
      columns.push_back(std::move(each));
      continue;
    }
    QuarantineRecord& column = columns.back();
    column.count += each.count;
    for (std::string& key : each.first_keys) {
      if (column.first_keys.size() < kFirstKeys) column.first_keys.push_back(std::move(key));
    }
  }
  return columns;
}

absl::Status RunBook::RecordStep(const std::string& run_id, const std::string& source,
                                 const PublishStepRecord& step) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_RETURN_IF_ERROR(Advance(&session, run_id, source, step));
  return session.Commit();
}

absl::StatusOr<std::vector<PublishStepRecord>> RunBook::Steps(const std::string& run_id,
                                                              const std::string& source) {
  return Session(file_).Read(StepRows(), kOfTable, run_id, source);
}

absl::StatusOr<std::optional<std::string>> RunBook::Cursor(const std::string& source,
                                                           const std::string& target) {
  return Session(file_).ReadValueOf<std::string>("SELECT value FROM cursors WHERE source = ? AND target = ?",
                                                 source, target);
}

absl::Status RunBook::RewriteCursor(const std::string& source, const std::string& target,
                                    const std::string& value) {
  return Session(file_).Run("UPDATE cursors SET value = ? WHERE source = ? AND target = ?", value, source,
                            target);
}

absl::Status RunBook::MoveCursor(const std::string& run_id, const std::string& source,
                                 const std::string& target, const std::string& value) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  const CursorRecord cursor{.source = source, .target = target, .value = value, .run_id = run_id};
  HAKOBU_RETURN_IF_ERROR(session.Put(CursorRows(), cursor));
  HAKOBU_RETURN_IF_ERROR(
      Advance(&session, run_id, source, {.step = PublishStep::kCursor, .detail = value, .done = true}));
  return session.Commit();
}

}  // namespace hakobu
