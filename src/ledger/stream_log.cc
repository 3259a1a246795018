#include "ledger/stream_log.h"

#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "ledger/chunk_rows.h"
#include "ledger/ledger.h"
#include "ledger/run_lock.h"
#include "ledger/sqlite.h"

namespace hakobu {
namespace {

constexpr char kTableColumns[] =
    "SELECT t.source, t.target, t.mode, t.state, t.reason, t.since_us, t.copy_sequence, t.whole_epoch, "
    "t.whole_file, t.whole_offset, t.write_stream, t.write_offset, t.copied_rows, t.write_base, "
    "(SELECT count(*) FROM stream_chunks c WHERE c.source = t.source), "
    "(SELECT count(*) FROM stream_chunks c WHERE c.source = t.source AND c.done) "
    "FROM stream_tables t ORDER BY t.source";
constexpr char kStoreTable[] =
    "INSERT INTO stream_tables VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) "
    "ON CONFLICT (source) DO UPDATE SET target = ?2, mode = ?3, state = ?4, reason = ?5, since_us = ?6, "
    "copy_sequence = ?7, whole_epoch = ?8, whole_file = ?9, whole_offset = ?10, write_stream = ?11, "
    "write_offset = ?12, copied_rows = ?13, write_base = ?14";
constexpr char kGapColumns[] =
    "SELECT id, from_gtid, to_gtid, from_file, from_offset, to_file, to_offset, from_us, to_us, cause, "
    "detail_json, tables_json, state, opened_us, closed_us, proof_json FROM stream_gaps ORDER BY id";

// SQLite's integers hold neither infinity.
int64_t Micros(absl::Time time) {
  return time == absl::InfinitePast() ? 0 : absl::ToUnixMicros(time);
}
absl::Time TimeOf(const SqliteRows& rows, int column) {
  if (rows.IsNull(column) || rows.Integer(column) == 0) return absl::InfinitePast();
  return absl::FromUnixMicros(rows.Integer(column));
}

StreamGapRecord GapOf(const SqliteRows& rows) {
  StreamGapRecord gap;
  gap.id = rows.Integer(0);
  gap.from_gtid = rows.Text(1);
  gap.to_gtid = rows.Text(2);
  gap.from_file = rows.Text(3);
  gap.from_offset = rows.Unsigned(4);
  gap.to_file = rows.Text(5);
  gap.to_offset = rows.Unsigned(6);
  gap.from_time = TimeOf(rows, 7);
  gap.to_time = TimeOf(rows, 8);
  gap.cause = rows.Text(9);
  gap.detail_json = rows.Text(10);
  gap.tables_json = rows.Text(11);
  gap.state = rows.Text(12);
  gap.opened = TimeOf(rows, 13);
  gap.closed = TimeOf(rows, 14);
  gap.proof_json = rows.Text(15);
  return gap;
}

StreamTableRecord TableOf(const SqliteRows& rows) {
  StreamTableRecord table;
  table.source = rows.Text(0);
  table.target = rows.Text(1);
  table.mode = rows.Text(2);
  table.state = rows.Text(3);
  table.reason = rows.Text(4);
  table.since = TimeOf(rows, 5);
  table.copy_sequence = rows.Text(6);
  table.whole_epoch = rows.Integer(7);
  table.whole_file = rows.Text(8);
  table.whole_offset = rows.Unsigned(9);
  table.write_stream = rows.Text(10);
  table.write_offset = rows.Unsigned(11);
  table.copied_rows = rows.Unsigned(12);
  table.write_base = rows.Unsigned(13);
  table.chunks = rows.Unsigned(14);
  table.chunks_done = rows.Unsigned(15);
  return table;
}

class SqliteStreamLog : public StreamLog {
 public:
  SqliteStreamLog(std::unique_ptr<Sqlite> sqlite, std::string path)
      : sqlite_(std::move(sqlite)), path_(std::move(path)) {}

  absl::Status LockForStream() override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(stream_lock_, RunLock::Take(path_ + ".stream.lock"));
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<StreamPosition>> Position() override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(
        SqliteRows rows,
        sqlite_->Prepare("SELECT epoch, flavor, server_uuid, server_id, file, file_offset, file_identity, "
                         "gtid_set, log_time_us, stored_us FROM stream_position"));
    HAKOBU_ASSIGN_OR_RETURN(const bool found, rows.Next());
    if (!found) return std::optional<StreamPosition>();
    StreamPosition position;
    position.epoch = rows.Integer(0);
    position.flavor = rows.Text(1);
    position.server_uuid = rows.Text(2);
    position.server_id = static_cast<uint32_t>(rows.Integer(3));
    position.file = rows.Text(4);
    position.offset = rows.Unsigned(5);
    position.file_identity = rows.Text(6);
    position.gtid_set = rows.Text(7);
    position.log_time = TimeOf(rows, 8);
    position.stored = TimeOf(rows, 9);
    return std::optional<StreamPosition>(std::move(position));
  }

  absl::Status StorePosition(const StreamPosition& position, const std::vector<StreamTableProgress>& tables,
                             const std::optional<std::string>& schemas_json) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(sqlite_.get()));
    {
      HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows,
                              sqlite_->Prepare("INSERT OR REPLACE INTO stream_position VALUES "
                                               "(1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"));
      rows.Bind(1, position.epoch).Bind(2, position.flavor).Bind(3, position.server_uuid);
      rows.Bind(4, static_cast<int64_t>(position.server_id)).Bind(5, position.file).Bind(6, position.offset);
      rows.Bind(7, position.file_identity).Bind(8, position.gtid_set);
      rows.Bind(9, Micros(position.log_time)).Bind(10, Micros(position.stored));
      HAKOBU_RETURN_IF_ERROR(rows.Run());
    }
    for (const StreamTableProgress& table : tables) HAKOBU_RETURN_IF_ERROR(Store(table));
    if (schemas_json.has_value()) {
      HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows,
                              sqlite_->Prepare("INSERT OR REPLACE INTO stream_schemas VALUES (1, ?1)"));
      HAKOBU_RETURN_IF_ERROR(rows.Bind(1, *schemas_json).Run());
    }
    return transaction.Commit();
  }

  absl::StatusOr<std::string> Schemas() override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare("SELECT schemas_json FROM stream_schemas"));
    HAKOBU_ASSIGN_OR_RETURN(const bool found, rows.Next());
    return found ? rows.Text(0) : std::string();
  }

  absl::StatusOr<std::vector<StreamTableRecord>> Tables() override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare(kTableColumns));
    std::vector<StreamTableRecord> tables;
    while (true) {
      HAKOBU_ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return tables;
      tables.push_back(TableOf(rows));
    }
  }

  absl::Status StoreTable(const StreamTableRecord& table) override {
    absl::MutexLock lock(&mutex_);
    return Store(table);
  }

  absl::Status StartCopy(const StreamTableRecord& table,
                         const std::vector<StreamChunkRecord>& chunks) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(sqlite_.get()));
    HAKOBU_RETURN_IF_ERROR(Store(table));
    {
      HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows,
                              sqlite_->Prepare("DELETE FROM stream_chunks WHERE source = ?1"));
      HAKOBU_RETURN_IF_ERROR(rows.Bind(1, table.source).Run());
    }
    for (const StreamChunkRecord& chunk : chunks) {
      HAKOBU_RETURN_IF_ERROR(kStreamChunks.Store(sqlite_.get(), table.source, chunk));
    }
    return transaction.Commit();
  }

  absl::StatusOr<std::vector<StreamChunkRecord>> Chunks(const std::string& source) override {
    absl::MutexLock lock(&mutex_);
    return kStreamChunks.Read(sqlite_.get(), source);
  }

  absl::Status StoreChunk(const std::string& source, const StreamChunkRecord& chunk) override {
    absl::MutexLock lock(&mutex_);
    return kStreamChunks.Store(sqlite_.get(), source, chunk);
  }

  absl::Status StoreHealth(const StreamHealth& health) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(
        SqliteRows rows,
        sqlite_->Prepare("INSERT OR REPLACE INTO stream_health VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)"));
    rows.Bind(1, Micros(health.looked)).Bind(2, Micros(health.fresh_until)).Bind(3, health.lag_bytes);
    rows.Bind(4, health.headroom_seconds).Bind(5, health.stalled_seconds).Bind(6, health.headroom);
    return rows.Run();
  }

  absl::StatusOr<std::optional<StreamHealth>> Health() override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(
        SqliteRows rows,
        sqlite_->Prepare("SELECT looked_us, fresh_until_us, lag_bytes, headroom_seconds, stalled_seconds, "
                         "headroom FROM stream_health"));
    HAKOBU_ASSIGN_OR_RETURN(const bool found, rows.Next());
    if (!found) return std::optional<StreamHealth>();
    StreamHealth health;
    health.looked = TimeOf(rows, 0);
    health.fresh_until = TimeOf(rows, 1);
    health.lag_bytes = rows.Integer(2);
    health.headroom_seconds = rows.Real(3);
    health.stalled_seconds = rows.Real(4);
    health.headroom = rows.Text(5);
    return std::optional<StreamHealth>(std::move(health));
  }

  absl::StatusOr<int64_t> OpenGap(const StreamGapRecord& gap) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(sqlite_.get()));
    int64_t id = 0;
    {
      HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows,
                              sqlite_->Prepare("SELECT coalesce(max(id), 0) + 1 FROM stream_gaps"));
      HAKOBU_RETURN_IF_ERROR(rows.Next().status());
      id = rows.Integer(0);
    }
    {
      HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows,
                              sqlite_->Prepare("INSERT INTO stream_gaps VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
                                               "?8, ?9, ?10, ?11, ?12, 'open', ?13, NULL, '')"));
      rows.Bind(1, id).Bind(2, gap.from_gtid).Bind(3, gap.to_gtid).Bind(4, gap.from_file);
      rows.Bind(5, gap.from_offset).Bind(6, gap.to_file).Bind(7, gap.to_offset);
      rows.Bind(8, Micros(gap.from_time)).Bind(9, Micros(gap.to_time)).Bind(10, gap.cause);
      rows.Bind(11, gap.detail_json).Bind(12, gap.tables_json).Bind(13, Micros(gap.opened));
      HAKOBU_RETURN_IF_ERROR(rows.Run());
    }
    HAKOBU_RETURN_IF_ERROR(transaction.Commit());
    return id;
  }

  absl::StatusOr<std::vector<StreamGapRecord>> Gaps() override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare(kGapColumns));
    std::vector<StreamGapRecord> gaps;
    while (true) {
      HAKOBU_ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return gaps;
      gaps.push_back(GapOf(rows));
    }
  }

  absl::Status UpdateGapTables(int64_t id, const std::string& tables_json) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows,
                            sqlite_->Prepare("UPDATE stream_gaps SET tables_json = ?2 WHERE id = ?1"));
    return rows.Bind(1, id).Bind(2, tables_json).Run();
  }

  absl::Status CloseGap(int64_t id, absl::Time closed, const std::string& proof_json) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(
        SqliteRows rows,
        sqlite_->Prepare(
            "UPDATE stream_gaps SET state = 'repaired', closed_us = ?2, proof_json = ?3 WHERE id = ?1"));
    return rows.Bind(1, id).Bind(2, Micros(closed)).Bind(3, proof_json).Run();
  }

 private:
  absl::Status Store(const StreamTableRecord& table) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare(kStoreTable));
    rows.Bind(1, table.source).Bind(2, table.target).Bind(3, table.mode).Bind(4, table.state);
    rows.Bind(5, table.reason).Bind(6, Micros(table.since)).Bind(7, table.copy_sequence);
    rows.Bind(8, table.whole_epoch).Bind(9, table.whole_file).Bind(10, table.whole_offset);
    rows.Bind(11, table.write_stream)
        .Bind(12, table.write_offset)
        .Bind(13, table.copied_rows)
        .Bind(14, table.write_base);
    return rows.Run();
  }
  absl::Status Store(const StreamTableProgress& table) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (table.write_offset.has_value()) {
      HAKOBU_ASSIGN_OR_RETURN(
          SqliteRows rows, sqlite_->Prepare("UPDATE stream_tables SET write_offset = ?2 WHERE source = ?1"));
      HAKOBU_RETURN_IF_ERROR(rows.Bind(1, table.source).Bind(2, *table.write_offset).Run());
    }
    if (table.state.empty()) return absl::OkStatus();
    HAKOBU_ASSIGN_OR_RETURN(
        SqliteRows rows,
        sqlite_->Prepare(
            "UPDATE stream_tables SET state = ?2, reason = ?3, since_us = ?4 WHERE source = ?1 AND "
            "(state = 'catching' OR (?2 = 'gap' AND state IN ('whole', 'gap')))"));
    return rows.Bind(1, table.source)
        .Bind(2, table.state)
        .Bind(3, table.reason)
        .Bind(4, Micros(table.since))
        .Run();
  }

  absl::Mutex mutex_;
  std::unique_ptr<Sqlite> sqlite_ ABSL_GUARDED_BY(mutex_);
  const std::string path_;
  std::unique_ptr<RunLock> stream_lock_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<StreamLog>> StreamLog::Open(const std::string& path) {
  // The ledger makes and upgrades its file.
  HAKOBU_RETURN_IF_ERROR(Ledger::Open(path).status());
  HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<Sqlite> sqlite, Sqlite::Open(path));
  return std::make_unique<SqliteStreamLog>(std::move(sqlite), path);
}

}  // namespace hakobu
