// SQLite with absl's errors: a connection, prepared statements that are kept, and a transaction that rolls
// back unless it is committed.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

namespace hakobu {

// One row at a time of one prepared statement; resets it when it goes. Columns are read in order of their
// place.
class SqliteRows {
 public:
  SqliteRows(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  SqliteRows(SqliteRows&& other) noexcept : database_(other.database_), statement_(other.statement_) {
    other.statement_ = nullptr;
  }
  SqliteRows& operator=(SqliteRows&&) = delete;
  ~SqliteRows();

  SqliteRows& Bind(int place, std::string_view text);
  SqliteRows& Bind(int place, int64_t value);
  SqliteRows& Bind(int place, uint64_t value) { return Bind(place, static_cast<int64_t>(value)); }
  SqliteRows& Bind(int place, double value);
  // True while there is a row.
  absl::StatusOr<bool> Next();
  // Runs a statement that returns no rows.
  absl::Status Run();

  std::string Text(int column) const;
  int64_t Integer(int column) const { return sqlite3_column_int64(statement_, column); }
  uint64_t Unsigned(int column) const { return static_cast<uint64_t>(Integer(column)); }
  double Real(int column) const { return sqlite3_column_double(statement_, column); }
  bool IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;
};

// Not thread-safe: the ledger holds its mutex around every use.
class Sqlite {
 public:
  static absl::StatusOr<std::unique_ptr<Sqlite>> Open(const std::string& path);
  ~Sqlite();

  // `sql` is a constant of the program: the prepared statement is kept by its address.
  absl::StatusOr<SqliteRows> Prepare(const char* sql);
  absl::Status Execute(const char* sql);
  int64_t changes() const { return sqlite3_changes(database_); }

 private:
  explicit Sqlite(sqlite3* database) : database_(database) {}
  sqlite3* database_;
  absl::flat_hash_map<const char*, sqlite3_stmt*> statements_;
};

class Transaction {
 public:
  static absl::StatusOr<Transaction> Begin(Sqlite* sqlite);
  Transaction(Transaction&& other) noexcept : sqlite_(other.sqlite_) { other.sqlite_ = nullptr; }
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  absl::Status Commit();

 private:
  explicit Transaction(Sqlite* sqlite) : sqlite_(sqlite) {}
  Sqlite* sqlite_;
};

}  // namespace hakobu
