#include "ledger/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/synchronization/mutex.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "ledger/migrations.h"
#include "ledger/run_lock.h"
#include "ledger/sqlite.h"

namespace hakobu {
namespace {

constexpr size_t kFirstKeys = 10;

RunState RunStateOf(std::string_view name) {
  for (const RunState state :
       {RunState::kRunning, RunState::kDone, RunState::kFailed, RunState::kCancelled}) {
    if (RunStateName(state) == name) return state;
  }
  return RunState::kAbandoned;
}

std::string_view ChunkStateName(ChunkState state) {
  switch (state) {
    case ChunkState::kPlanned:
      return "planned";
    case ChunkState::kReading:
      return "reading";
    case ChunkState::kDone:
      return "done";
  }
  return "";
}

ChunkState ChunkStateOf(std::string_view name) {
  if (name == "done") return ChunkState::kDone;
  return name == "reading" ? ChunkState::kReading : ChunkState::kPlanned;
}

std::string KeysToJson(const std::vector<std::string>& keys) {
  return nlohmann::json(keys).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

#define HAKOBU_PREPARE(rows, sql) HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare(sql))

class SqliteLedger : public Ledger {
 public:
  SqliteLedger(std::unique_ptr<Sqlite> sqlite, std::string path)
      : path_(std::move(path)), sqlite_(std::move(sqlite)) {}

  absl::Status Upgrade();

  absl::Status LockForRun() override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(run_lock_, RunLock::Take(path_ + ".lock"));
    return absl::OkStatus();
  }
  std::string id() const override { return id_; }

  absl::Status StartRun(const RunRecord& run) override;
  absl::Status FinishRun(const std::string& run_id, RunState state, absl::Time finished,
                         const std::string& error, const std::string& report_json) override;
  absl::Status SetRunState(const std::string& run_id, RunState state) override;
  absl::StatusOr<std::vector<RunRecord>> Runs(size_t newest) override;
  absl::StatusOr<std::optional<RunRecord>> ResumableRun(const std::string& fingerprint) override;
  absl::StatusOr<std::vector<RunRecord>> UnfinishedRuns() override;
  absl::Status AddTable(const RunTableRecord& table, const std::vector<ChunkRecord>& chunks) override;
  absl::Status UpdateTable(const RunTableRecord& table) override;
  absl::StatusOr<std::vector<RunTableRecord>> Tables(const std::string& run_id) override;
  absl::StatusOr<std::vector<ChunkRecord>> Chunks(const std::string& run_id,
                                                  const std::string& source) override;
  absl::Status BeginChunk(const std::string& run_id, const std::string& source, uint64_t number) override;
  absl::Status SealChunk(const std::string& run_id, const std::string& source, const ChunkRecord& chunk,
                         const std::vector<QuarantineRecord>& quarantined) override {
    return WriteChunk(run_id, source, chunk, ChunkState::kReading, quarantined);
  }
  absl::Status FinishSealedChunk(const std::string& run_id, const std::string& source,
                                 uint64_t number) override;
  absl::Status FinishChunk(const std::string& run_id, const std::string& source, const ChunkRecord& chunk,
                           const std::vector<QuarantineRecord>& quarantined) override {
    return WriteChunk(run_id, source, chunk, ChunkState::kDone, quarantined);
  }
  absl::StatusOr<std::vector<QuarantineRecord>> Quarantined(const std::string& run_id,
                                                            const std::string& source) override;
  absl::Status RecordStep(const std::string& run_id, const std::string& source,
                          const PublishStep& step) override;
  absl::StatusOr<std::vector<PublishStep>> Steps(const std::string& run_id,
                                                 const std::string& source) override;
  absl::StatusOr<std::optional<std::string>> Cursor(const std::string& source,
                                                    const std::string& target) override;
  absl::Status MoveCursor(const std::string& run_id, const std::string& source, const std::string& target,
                          const std::string& value) override;
  absl::StatusOr<int64_t> RecordSchema(const std::string& target, const std::string& run_id,
                                       const std::string& schema_json) override;
  absl::StatusOr<std::optional<SchemaVersion>> NewestSchema(const std::string& target) override;

 private:
  absl::Status WriteChunk(const std::string& run_id, const std::string& source, const ChunkRecord& chunk,
                          ChunkState state, const std::vector<QuarantineRecord>& quarantined);
  absl::StatusOr<std::vector<RunRecord>> ReadRuns(SqliteRows rows) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::optional<SchemaVersion>> NewestSchemaLocked(const std::string& target)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WriteStep(const std::string& run_id, const std::string& source, const PublishStep& step)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  std::string id_;
  absl::Mutex mutex_;
  std::unique_ptr<Sqlite> sqlite_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<RunLock> run_lock_ ABSL_GUARDED_BY(mutex_);
};

absl::Status SqliteLedger::Upgrade() {
  absl::MutexLock lock(&mutex_);
  HAKOBU_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(sqlite_.get()));
  const auto migrations = LedgerMigrations();
  size_t version = 0;
  {
    HAKOBU_PREPARE(rows, "PRAGMA user_version");
    HAKOBU_RETURN_IF_ERROR(rows.Next().status());
    version = rows.Unsigned(0);
  }
  if (version > migrations.size()) {
    return WithHint(
        absl::FailedPreconditionError(fmt::format("ledger {} has version {}, this hakobu knows up to {}",
                                                  path_, version, migrations.size())),
        "use the newer hakobu that wrote it, or name another file with `ledger:`");
  }
  for (; version < migrations.size(); ++version)
    HAKOBU_RETURN_IF_ERROR(sqlite_->Execute(migrations[version]));
  HAKOBU_RETURN_IF_ERROR(sqlite_->Execute(fmt::format("PRAGMA user_version = {}", version).c_str()));
  {
    HAKOBU_PREPARE(rows, "SELECT id FROM identity");
    HAKOBU_RETURN_IF_ERROR(rows.Next().status());
    id_ = rows.Text(0);
  }
  return transaction.Commit();
}

absl::Status SqliteLedger::StartRun(const RunRecord& run) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(rows, "INSERT INTO runs VALUES (?1, ?2, NULL, 'running', ?3, ?4, ?5, '', '')");
  HAKOBU_RETURN_IF_ERROR(rows.Bind(1, run.id)
                             .Bind(2, absl::ToUnixMicros(run.started))
                             .Bind(3, run.fingerprint)
                             .Bind(4, run.pid)
                             .Bind(5, run.log_position_before)
                             .Run());
  return absl::OkStatus();
}

absl::Status SqliteLedger::FinishRun(const std::string& run_id, RunState state, absl::Time finished,
                                     const std::string& error, const std::string& report_json) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(rows, "UPDATE runs SET state=?2, finished_us=?3, error=?4, report_json=?5 WHERE id=?1");
  return rows.Bind(1, run_id)
      .Bind(2, RunStateName(state))
      .Bind(3, absl::ToUnixMicros(finished))
      .Bind(4, error)
      .Bind(5, report_json)
      .Run();
}

absl::Status SqliteLedger::SetRunState(const std::string& run_id, RunState state) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(rows, "UPDATE runs SET state=?2 WHERE id=?1");
  return rows.Bind(1, run_id).Bind(2, RunStateName(state)).Run();
}

#define HAKOBU_RUN_COLUMNS \
  "id, started_us, finished_us, state, fingerprint, pid, log_position_before, error, report_json"

absl::StatusOr<std::vector<RunRecord>> SqliteLedger::ReadRuns(SqliteRows rows) {
  std::vector<RunRecord> runs;
  for (;;) {
    HAKOBU_ASSIGN_OR_RETURN(const bool has_row, rows.Next());
    if (!has_row) return runs;
    RunRecord run;
    run.id = rows.Text(0);
    run.started = absl::FromUnixMicros(rows.Integer(1));
    run.finished = rows.IsNull(2) ? absl::InfinitePast() : absl::FromUnixMicros(rows.Integer(2));
    run.state = RunStateOf(rows.Text(3));
    run.fingerprint = rows.Text(4);
    run.pid = rows.Integer(5);
    run.log_position_before = rows.Text(6);
    run.error = rows.Text(7);
    run.report_json = rows.Text(8);
    runs.push_back(std::move(run));
  }
}

absl::StatusOr<std::vector<RunRecord>> SqliteLedger::Runs(size_t newest) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(rows,
                 "SELECT " HAKOBU_RUN_COLUMNS " FROM runs ORDER BY started_us DESC, rowid DESC LIMIT ?1");
  rows.Bind(1, static_cast<uint64_t>(newest));
  return ReadRuns(std::move(rows));
}

absl::StatusOr<std::optional<RunRecord>> SqliteLedger::ResumableRun(const std::string& fingerprint) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(rows, "SELECT " HAKOBU_RUN_COLUMNS
                       " FROM runs WHERE fingerprint=?1 AND state IN ('running','failed','cancelled')"
                       " ORDER BY started_us DESC, rowid DESC LIMIT 1");
  rows.Bind(1, fingerprint);
  HAKOBU_ASSIGN_OR_RETURN(std::vector<RunRecord> runs, ReadRuns(std::move(rows)));
  if (runs.empty()) return std::optional<RunRecord>();
  return std::optional<RunRecord>(std::move(runs.front()));
}

absl::StatusOr<std::vector<RunRecord>> SqliteLedger::UnfinishedRuns() {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(rows,
                 "SELECT " HAKOBU_RUN_COLUMNS
                 " FROM runs WHERE state IN ('running','failed','cancelled') ORDER BY started_us, rowid");
  return ReadRuns(std::move(rows));
}

absl::Status SqliteLedger::AddTable(const RunTableRecord& table, const std::vector<ChunkRecord>& chunks) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(sqlite_.get()));
  {
    HAKOBU_PREPARE(rows, "INSERT INTO run_tables VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    HAKOBU_RETURN_IF_ERROR(rows.Bind(1, table.run_id)
                               .Bind(2, table.source)
                               .Bind(3, table.target)
                               .Bind(4, table.mode)
                               .Bind(5, table.state)
                               .Bind(6, table.staging)
                               .Bind(7, table.plan_json)
                               .Bind(8, table.error)
                               .Bind(9, table.rows)
                               .Bind(10, table.bytes)
                               .Bind(11, table.seconds)
                               .Run());
  }
  for (const ChunkRecord& chunk : chunks) {
    HAKOBU_PREPARE(rows, "INSERT INTO chunks VALUES (?1, ?2, ?3, ?4, 'planned', '', 0, 0, 0)");
    HAKOBU_RETURN_IF_ERROR(rows.Bind(1, table.run_id)
                               .Bind(2, table.source)
                               .Bind(3, chunk.number)
                               .Bind(4, chunk.bounds_json)
                               .Run());
  }
  HAKOBU_RETURN_IF_ERROR(transaction.Commit());
  return absl::OkStatus();
}

absl::Status SqliteLedger::UpdateTable(const RunTableRecord& table) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(
      rows,
      "UPDATE run_tables SET state=?3, staging=?4, plan_json=?5, error=?6, rows=?7, bytes=?8, seconds=?9 "
      "WHERE run_id=?1 AND source=?2");
  return rows.Bind(1, table.run_id)
      .Bind(2, table.source)
      .Bind(3, table.state)
      .Bind(4, table.staging)
      .Bind(5, table.plan_json)
      .Bind(6, table.error)
      .Bind(7, table.rows)
      .Bind(8, table.bytes)
      .Bind(9, table.seconds)
      .Run();
}

absl::StatusOr<std::vector<RunTableRecord>> SqliteLedger::Tables(const std::string& run_id) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(
      rows,
      "SELECT run_id, source, target, mode, state, staging, plan_json, error, rows, bytes, seconds "
      "FROM run_tables WHERE run_id=?1 ORDER BY source");
  rows.Bind(1, run_id);
  std::vector<RunTableRecord> tables;
  for (;;) {
    HAKOBU_ASSIGN_OR_RETURN(const bool has_row, rows.Next());
    if (!has_row) return tables;
    tables.push_back({.run_id = rows.Text(0),
                      .source = rows.Text(1),
                      .target = rows.Text(2),
                      .mode = rows.Text(3),
                      .state = rows.Text(4),
                      .staging = rows.Text(5),
                      .plan_json = rows.Text(6),
                      .error = rows.Text(7),
                      .rows = rows.Unsigned(8),
                      .bytes = rows.Unsigned(9),
                      .seconds = rows.Real(10)});
  }
}

absl::StatusOr<std::vector<ChunkRecord>> SqliteLedger::Chunks(const std::string& run_id,
                                                              const std::string& source) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(rows,
                 "SELECT number, bounds_json, state, stream, rows, bytes, attempts FROM chunks "
                 "WHERE run_id=?1 AND source=?2 ORDER BY number");
  rows.Bind(1, run_id).Bind(2, source);
  std::vector<ChunkRecord> chunks;
  for (;;) {
    HAKOBU_ASSIGN_OR_RETURN(const bool has_row, rows.Next());
    if (!has_row) return chunks;
    chunks.push_back({.number = rows.Unsigned(0),
                      .bounds_json = rows.Text(1),
                      .state = ChunkStateOf(rows.Text(2)),
                      .stream = rows.Text(3),
                      .rows = rows.Unsigned(4),
                      .bytes = rows.Unsigned(5),
                      .attempts = rows.Unsigned(6)});
  }
}

absl::Status SqliteLedger::BeginChunk(const std::string& run_id, const std::string& source, uint64_t number) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(
      rows,
      "UPDATE chunks SET state='reading', attempts=attempts+1 WHERE run_id=?1 AND source=?2 AND number=?3");
  return rows.Bind(1, run_id).Bind(2, source).Bind(3, number).Run();
}

absl::Status SqliteLedger::FinishSealedChunk(const std::string& run_id, const std::string& source,
                                             uint64_t number) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(rows, "UPDATE chunks SET state='done' WHERE run_id=?1 AND source=?2 AND number=?3");
  return rows.Bind(1, run_id).Bind(2, source).Bind(3, number).Run();
}

absl::Status SqliteLedger::WriteChunk(const std::string& run_id, const std::string& source,
                                      const ChunkRecord& chunk, ChunkState state,
                                      const std::vector<QuarantineRecord>& quarantined) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(sqlite_.get()));
  {
    HAKOBU_PREPARE(rows,
                   "UPDATE chunks SET state=?4, stream=?5, rows=?6, bytes=?7 "
                   "WHERE run_id=?1 AND source=?2 AND number=?3");
    HAKOBU_RETURN_IF_ERROR(rows.Bind(1, run_id)
                               .Bind(2, source)
                               .Bind(3, chunk.number)
                               .Bind(4, ChunkStateName(state))
                               .Bind(5, chunk.stream)
                               .Bind(6, chunk.rows)
                               .Bind(7, chunk.bytes)
                               .Run());
  }
  for (const QuarantineRecord& column : quarantined) {
    HAKOBU_PREPARE(rows, "INSERT OR REPLACE INTO quarantined VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    HAKOBU_RETURN_IF_ERROR(rows.Bind(1, run_id)
                               .Bind(2, source)
                               .Bind(3, chunk.number)
                               .Bind(4, column.column)
                               .Bind(5, column.count)
                               .Bind(6, KeysToJson(column.first_keys))
                               .Bind(7, column.example)
                               .Run());
  }
  CrashPoint("ledger.checkpoint");
  return transaction.Commit();
}

absl::StatusOr<std::vector<QuarantineRecord>> SqliteLedger::Quarantined(const std::string& run_id,
                                                                        const std::string& source) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(
      rows,
      "SELECT column_name, count, first_keys, example FROM quarantined WHERE run_id=?1 AND source=?2 "
      "ORDER BY column_name, chunk");
  rows.Bind(1, run_id).Bind(2, source);
  std::vector<QuarantineRecord> columns;
  for (;;) {
    HAKOBU_ASSIGN_OR_RETURN(const bool has_row, rows.Next());
    if (!has_row) return columns;
    std::string name = rows.Text(0);
    if (columns.empty() || columns.back().column != name) {
      columns.push_back({.column = std::move(name), .count = 0, .first_keys = {}, .example = rows.Text(3)});
    }
    QuarantineRecord& column = columns.back();
    column.count += rows.Unsigned(1);
    const nlohmann::json keys = nlohmann::json::parse(rows.Text(2), nullptr, /*allow_exceptions=*/false);
    for (const auto& key : keys) {
      if (key.is_string() && column.first_keys.size() < kFirstKeys) column.first_keys.push_back(key);
    }
  }
}

absl::Status SqliteLedger::WriteStep(const std::string& run_id, const std::string& source,
                                     const PublishStep& step) {
  HAKOBU_PREPARE(rows, "INSERT OR REPLACE INTO publish_steps VALUES (?1, ?2, ?3, ?4, ?5)");
  return rows.Bind(1, run_id)
      .Bind(2, source)
      .Bind(3, step.step)
      .Bind(4, step.detail)
      .Bind(5, static_cast<int64_t>(step.done))
      .Run();
}

absl::Status SqliteLedger::RecordStep(const std::string& run_id, const std::string& source,
                                      const PublishStep& step) {
  absl::MutexLock lock(&mutex_);
  return WriteStep(run_id, source, step);
}

absl::StatusOr<std::vector<PublishStep>> SqliteLedger::Steps(const std::string& run_id,
                                                             const std::string& source) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(rows, "SELECT step, detail, done FROM publish_steps WHERE run_id=?1 AND source=?2");
  rows.Bind(1, run_id).Bind(2, source);
  std::vector<PublishStep> steps;
  for (;;) {
    HAKOBU_ASSIGN_OR_RETURN(const bool has_row, rows.Next());
    if (!has_row) return steps;
    steps.push_back({.step = rows.Text(0), .detail = rows.Text(1), .done = rows.Integer(2) != 0});
  }
}

absl::StatusOr<std::optional<std::string>> SqliteLedger::Cursor(const std::string& source,
                                                                const std::string& target) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_PREPARE(rows, "SELECT value FROM cursors WHERE source=?1 AND target=?2");
  rows.Bind(1, source).Bind(2, target);
  HAKOBU_ASSIGN_OR_RETURN(const bool has_row, rows.Next());
  if (!has_row) return std::optional<std::string>();
  return std::optional<std::string>(rows.Text(0));
}

absl::Status SqliteLedger::MoveCursor(const std::string& run_id, const std::string& source,
                                      const std::string& target, const std::string& value) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(sqlite_.get()));
  {
    HAKOBU_PREPARE(rows, "INSERT OR REPLACE INTO cursors VALUES (?1, ?2, ?3, ?4)");
    HAKOBU_RETURN_IF_ERROR(rows.Bind(1, source).Bind(2, target).Bind(3, value).Bind(4, run_id).Run());
  }
  HAKOBU_RETURN_IF_ERROR(WriteStep(run_id, source, {.step = "cursor", .detail = value, .done = true}));
  return transaction.Commit();
}

absl::StatusOr<std::optional<SchemaVersion>> SqliteLedger::NewestSchemaLocked(const std::string& target) {
  HAKOBU_PREPARE(rows,
                 "SELECT version, run_id, schema_json FROM schema_versions WHERE target=?1 "
                 "ORDER BY version DESC LIMIT 1");
  rows.Bind(1, target);
  HAKOBU_ASSIGN_OR_RETURN(const bool has_row, rows.Next());
  if (!has_row) return std::optional<SchemaVersion>();
  return std::optional<SchemaVersion>(SchemaVersion{
      .target = target, .version = rows.Integer(0), .run_id = rows.Text(1), .schema_json = rows.Text(2)});
}

absl::StatusOr<std::optional<SchemaVersion>> SqliteLedger::NewestSchema(const std::string& target) {
  absl::MutexLock lock(&mutex_);
  return NewestSchemaLocked(target);
}

absl::StatusOr<int64_t> SqliteLedger::RecordSchema(const std::string& target, const std::string& run_id,
                                                   const std::string& schema_json) {
  absl::MutexLock lock(&mutex_);
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<SchemaVersion> newest, NewestSchemaLocked(target));
  if (newest.has_value() && newest->schema_json == schema_json) return newest->version;
  const int64_t version = newest.has_value() ? newest->version + 1 : 1;
  HAKOBU_PREPARE(rows, "INSERT INTO schema_versions VALUES (?1, ?2, ?3, ?4)");
  HAKOBU_RETURN_IF_ERROR(rows.Bind(1, target).Bind(2, version).Bind(3, run_id).Bind(4, schema_json).Run());
  return version;
}

}  // namespace

std::string_view RunStateName(RunState state) {
  switch (state) {
    case RunState::kRunning:
      return "running";
    case RunState::kDone:
      return "done";
    case RunState::kFailed:
      return "failed";
    case RunState::kCancelled:
      return "cancelled";
    case RunState::kAbandoned:
      return "abandoned";
  }
  return "";
}

absl::StatusOr<std::unique_ptr<Ledger>> Ledger::Open(const std::string& path) {
  HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<Sqlite> sqlite, Sqlite::Open(path));
  auto ledger = std::make_unique<SqliteLedger>(std::move(sqlite), path);
  HAKOBU_RETURN_IF_ERROR(ledger->Upgrade());
  return std::unique_ptr<Ledger>(std::move(ledger));
}

}  // namespace hakobu
