// What the books do to the ledger's file: statements one at a time under its lock, alone or as one
// transaction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/check.h"
#include "base/status.h"
#include "ledger/column.h"
#include "ledger/sqlite.h"

namespace hakobu {

// The open file; made by the ledger, shared by its books.
class LedgerFile {
 public:
  explicit LedgerFile(std::unique_ptr<Sqlite> sqlite) : sqlite_(std::move(sqlite)) {}

 private:
  friend class Session;
  absl::Mutex mutex_;
  std::unique_ptr<Sqlite> sqlite_ ABSL_GUARDED_BY(mutex_);
};

// Holds the file's lock while it lives: one step of one book, no waiting for anything else in between. Each
// statement is durable when it returns, or, after Begin, all of them when Commit does.
class ABSL_SCOPED_LOCKABLE Session {
 public:
  explicit Session(LedgerFile* file) ABSL_EXCLUSIVE_LOCK_FUNCTION(file->mutex_)
      : lock_(&file->mutex_), sqlite_(file->sqlite_.get()) {}
  // Rolls back what was begun and not committed.
  ~Session() ABSL_UNLOCK_FUNCTION() {
    if (begun_) sqlite_->Rollback();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  absl::Status Begin() {
    HAKOBU_CHECK(!begun_, "a transaction of the ledger is begun inside another",
                 "nothing of either is written; report this line");
    HAKOBU_RETURN_IF_ERROR(sqlite_->Execute("BEGIN IMMEDIATE"));
    begun_ = true;
    return absl::OkStatus();
  }
  absl::Status Commit() {
    HAKOBU_CHECK(begun_, "a transaction of the ledger is committed that was not begun",
                 "its statements stand one by one; report this line");
    HAKOBU_RETURN_IF_ERROR(sqlite_->Execute("COMMIT"));
    begun_ = false;
    return absl::OkStatus();
  }

  // A statement without an answer; returns the number of rows it found to change.
  template <typename... Values>
  absl::StatusOr<int64_t> Change(std::string_view sql, const Values&... values) {
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare(sql));
    (BindValue(&rows, values), ...);
    HAKOBU_RETURN_IF_ERROR(rows.Run());
    return sqlite_->changes();
  }
  template <typename... Values>
  absl::Status Run(std::string_view sql, const Values&... values) {
    return Change(sql, values...).status();
  }
  // The first column of the first row; none when there is no row.
  template <typename Value, typename... Values>
  absl::StatusOr<std::optional<Value>> ReadValueOf(std::string_view sql, const Values&... values) {
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare(sql));
    (BindValue(&rows, values), ...);
    HAKOBU_ASSIGN_OR_RETURN(const bool found, rows.Next());
    if (!found) return std::optional<Value>();
    Value value;
    ReadValue(rows, 0, &value);
    return std::optional<Value>(std::move(value));
  }
  // Calls `take(row)` for each row.
  template <typename Take, typename... Values>
  absl::Status ForEach(std::string_view sql, Take take, const Values&... values) {
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare(sql));
    (BindValue(&rows, values), ...);
    for (;;) {
      HAKOBU_ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return absl::OkStatus();
      take(rows);
    }
  }

  // Records whose table's rows satisfy `rest` ("WHERE … ORDER BY …").
  template <typename Record, typename... Values>
  absl::StatusOr<std::vector<Record>> Read(const RecordTable<Record>& table, std::string_view rest,
                                           const Values&... values) {
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare(table.select() + " " + std::string(rest)));
    (BindValue(&rows, values), ...);
    std::vector<Record> records;
    for (;;) {
      HAKOBU_ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return records;
      HAKOBU_ASSIGN_OR_RETURN(Record record, table.Read(rows));
      records.push_back(std::move(record));
    }
  }
  template <typename Record, typename... Values>
  absl::StatusOr<std::optional<Record>> ReadFirst(const RecordTable<Record>& table, std::string_view rest,
                                                  const Values&... values) {
    HAKOBU_ASSIGN_OR_RETURN(std::vector<Record> records, Read(table, rest, values...));
    if (records.empty()) return std::optional<Record>();
    return std::optional<Record>(std::move(records.front()));
  }
  // `owner`: values of the key's columns that the record does not hold.
  template <typename Record, typename... Owner>
  absl::Status Insert(const RecordTable<Record>& table, const Record& record, const Owner&... owner) {
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare(table.insert()));
    (BindValue(&rows, owner), ...);
    table.BindAll(record, &rows);
    return rows.Run();
  }
  // All columns of the row with the record's key; returns whether there is one.
  template <typename Record, typename... Owner>
  absl::StatusOr<bool> Update(const RecordTable<Record>& table, const Record& record, const Owner&... owner) {
    HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite_->Prepare(table.update()));
    table.BindRest(record, &rows);
    (BindValue(&rows, owner), ...);
    table.BindKeys(record, &rows);
    HAKOBU_RETURN_IF_ERROR(rows.Run());
    return sqlite_->changes() > 0;
  }
  // Update, else Insert.
  template <typename Record, typename... Owner>
  absl::Status Put(const RecordTable<Record>& table, const Record& record, const Owner&... owner) {
    HAKOBU_ASSIGN_OR_RETURN(const bool there, Update(table, record, owner...));
    return there ? absl::OkStatus() : Insert(table, record, owner...);
  }

 private:
  absl::MutexLock lock_;
  Sqlite* sqlite_;
  bool begun_ = false;
};

}  // namespace hakobu
