// SQLite with absl's errors: a connection and prepared statements that are kept.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "base/outage.h"

namespace hakobu {

class Sqlite;

// What a file does that another process holds locked, and whom it tells. Both pointers outlive it.
struct SqliteOptions {
  absl::Duration patience = absl::Seconds(10);  // may be infinite
  const Cancellation* cancel = nullptr;         // ends the waiting
  OutageListener* outages = nullptr;            // told of locks and of disks that are full
};

// One row at a time of one prepared statement; resets it when it goes. Columns are read in order of their
// place.
class SqliteRows {
 public:
  SqliteRows(Sqlite* sqlite, sqlite3_stmt* statement) : sqlite_(sqlite), statement_(statement) {}
  SqliteRows(SqliteRows&& other) noexcept
      : sqlite_(other.sqlite_), statement_(other.statement_), bound_(other.bound_) {
    other.statement_ = nullptr;
  }
  SqliteRows& operator=(SqliteRows&&) = delete;
  ~SqliteRows();

  // Values in the order of the statement's marks.
  void Bind(std::string_view text);
  void Bind(int64_t value);
  void Bind(double value);
  // True while there is a row.
  absl::StatusOr<bool> Next();
  // Runs a statement that returns no rows.
  absl::Status Run();

  std::string Text(int column) const;
  int64_t Integer(int column) const { return sqlite3_column_int64(statement_, column); }
  double Real(int column) const { return sqlite3_column_double(statement_, column); }

 private:
  Sqlite* sqlite_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

// Not thread-safe: Session holds the ledger's lock around every use.
class Sqlite {
 public:
  static absl::StatusOr<std::unique_ptr<Sqlite>> Open(const std::string& path,
                                                      const SqliteOptions& options = {});
  ~Sqlite();
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  // The prepared statement is kept: `sql` is one of the program's few sentences, never made of values.
  absl::StatusOr<SqliteRows> Prepare(std::string_view sql);
  // A script.
  absl::Status Execute(const char* sql);
  // After some failures (a full disk) SQLite has rolled back by itself; a second ROLLBACK then fails
  // harmlessly.
  void Rollback() { (void)Execute("ROLLBACK"); }
  int64_t changes() const { return sqlite3_changes(database_); }

 private:
  friend class SqliteRows;
  Sqlite(sqlite3* database, const std::string& path, const SqliteOptions& options);
  // Of the last call; told to the listener when it is one that passes.
  absl::Status Error(std::string_view what);
  // Something was written: whatever was in the way is gone.
  void Written();
  static int OnBusy(void* self, int tries);

  sqlite3* database_;
  const std::string path_;
  const std::string work_;  // for the listener
  const SqliteOptions options_;
  absl::Time busy_since_;
  bool troubled_ = false;  // said to the listener
  absl::flat_hash_map<std::string, sqlite3_stmt*> statements_;
};

}  // namespace hakobu
