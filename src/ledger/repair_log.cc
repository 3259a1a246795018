#include "ledger/repair_log.h"

#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "ledger/chunk_rows.h"
#include "ledger/ledger.h"
#include "ledger/run_lock.h"
#include "ledger/sqlite.h"

namespace hakobu {
namespace {

class SqliteRepairLog : public RepairLog {
 public:
  SqliteRepairLog(std::unique_ptr<Sqlite> sqlite, std::string path)
      : sqlite_(std::move(sqlite)), path_(std::move(path)) {}

  absl::Status Lock() override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(lock_, RunLock::Take(path_ + ".repair.lock"));
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<RepairTableRecord>> Find(const std::string& source) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(
        SqliteRows rows,
        sqlite_->Prepare("SELECT target, rows_table, fingerprint, sequence, started_us, round "
                         "FROM repair_tables WHERE source = ?1"));
    rows.Bind(1, source);
    HAKOBU_ASSIGN_OR_RETURN(const bool found, rows.Next());
    if (!found) return std::optional<RepairTableRecord>();
    RepairTableRecord table;
    table.source = source;
    table.target = rows.Text(0);
    table.rows_table = rows.Text(1);
    table.fingerprint = rows.Text(2);
    table.sequence = rows.Text(3);
    table.started = absl::FromUnixMicros(rows.Integer(4));
    table.round = rows.Integer(5);
    return std::optional<RepairTableRecord>(std::move(table));
  }

  absl::Status Begin(const RepairTableRecord& table, const std::vector<StreamChunkRecord>& chunks) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(sqlite_.get()));
    HAKOBU_RETURN_IF_ERROR(Remove(table.source));
    {
      HAKOBU_ASSIGN_OR_RETURN(
          SqliteRows rows, sqlite_->Prepare("INSERT INTO repair_tables VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
      rows.Bind(1, table.source).Bind(2, table.target).Bind(3, table.rows_table);
      rows.Bind(4, table.fingerprint).Bind(5, table.sequence);
      rows.Bind(6, absl::ToUnixMicros(table.started)).Bind(7, table.round);
      HAKOBU_RETURN_IF_ERROR(rows.Run());
    }
    for (const StreamChunkRecord& chunk : chunks) {
      HAKOBU_RETURN_IF_ERROR(kRepairChunks.Store(sqlite_.get(), table.source, chunk));
    }
    return transaction.Commit();
  }

  absl::Status StoreRound(const std::string& source, int64_t round) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows,
                            sqlite_->Prepare("UPDATE repair_tables SET round = ?2 WHERE source = ?1"));
    return rows.Bind(1, source).Bind(2, round).Run();
  }

  absl::StatusOr<std::vector<StreamChunkRecord>> Chunks(const std::string& source) override {
    absl::MutexLock lock(&mutex_);
    return kRepairChunks.Read(sqlite_.get(), source);
  }

  absl::Status StoreChunk(const std::string& source, const StreamChunkRecord& chunk) override {
    absl::MutexLock lock(&mutex_);
    return kRepairChunks.Store(sqlite_.get(), source, chunk);
  }

  absl::Status Forget(const std::string& source) override {
    absl::MutexLock lock(&mutex_);
    HAKOBU_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(sqlite_.get()));
    HAKOBU_RETURN_IF_ERROR(Remove(source));
    return transaction.Commit();
  }

 private:
  absl::Status Remove(const std::string& source) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (const char* const sql :
         {"DELETE FROM repair_chunks WHERE source = ?1", "DELETE FROM repair_tables WHERE source = ?1"}) {
      HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare(sql));
      HAKOBU_RETURN_IF_ERROR(rows.Bind(1, source).Run());
    }
    return absl::OkStatus();
  }

  absl::Mutex mutex_;
  std::unique_ptr<Sqlite> sqlite_ ABSL_GUARDED_BY(mutex_);
  const std::string path_;
  std::unique_ptr<RunLock> lock_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<RepairLog>> RepairLog::Open(const std::string& path) {
  // The ledger makes and upgrades its file.
  HAKOBU_RETURN_IF_ERROR(Ledger::Open(path).status());
  HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<Sqlite> sqlite, Sqlite::Open(path));
  return std::make_unique<SqliteRepairLog>(std::move(sqlite), path);
}

}  // namespace hakobu
