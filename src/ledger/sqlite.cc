#include "ledger/sqlite.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/private_file.h"
#include "base/status.h"

namespace hakobu {
namespace {

absl::Status ErrorOf(sqlite3* database, std::string_view what) {
  const int code = sqlite3_errcode(database);
  const std::string message = fmt::format("{}: {}", what, sqlite3_errmsg(database));
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
      return WithHint(
          absl::ResourceExhaustedError(message),
          "the disk under the ledger is full or refuses writes; free some space and run again: the run "
          "continues where it stopped");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(message);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return WithHint(absl::FailedPreconditionError(message),
                      "the file is not a ledger, or is damaged; name another with `ledger:`");
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return WithHint(absl::FailedPreconditionError(message),
                      "the ledger's folder must exist and be writable");
    default:
      return absl::InternalError(message);
  }
}

}  // namespace

SqliteRows::~SqliteRows() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void SqliteRows::Bind(std::string_view text) {
  // A null pointer would bind NULL, not the empty text.
  const char* data = text.data() == nullptr ? "" : text.data();
  sqlite3_bind_text64(statement_, ++bound_, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void SqliteRows::Bind(int64_t value) {
  sqlite3_bind_int64(statement_, ++bound_, value);
}

void SqliteRows::Bind(double value) {
  sqlite3_bind_double(statement_, ++bound_, value);
}

absl::StatusOr<bool> SqliteRows::Next() {
  HAKOBU_CHECK(bound_ == sqlite3_bind_parameter_count(statement_),
               fmt::format("a statement of the ledger has {} values for {} marks: {}", bound_,
                           sqlite3_bind_parameter_count(statement_), sqlite3_sql(statement_)),
               "nothing was written by it; report this line");
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ErrorOf(database_, "ledger");
}

absl::Status SqliteRows::Run() {
  HAKOBU_ASSIGN_OR_RETURN(const bool has_row, Next());
  return has_row ? absl::InternalError("ledger: a statement returned an unexpected row") : absl::OkStatus();
}

std::string SqliteRows::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

absl::StatusOr<std::unique_ptr<Sqlite>> Sqlite::Open(const std::string& path) {
  for (const char* of : {"", "-wal", "-shm"}) HAKOBU_RETURN_IF_ERROR(MakePrivate(path + of));
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  if (code != SQLITE_OK) {
    const absl::Status status = ErrorOf(database, fmt::format("open ledger {}", path));
    sqlite3_close(database);
    return status;
  }
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, 10000);
  auto sqlite = std::unique_ptr<Sqlite>(new Sqlite(database));
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON",
                             "PRAGMA secure_delete=ON"}) {
    const absl::Status status = sqlite->Execute(pragma);
    if (!status.ok()) return Annotate(status, fmt::format("open ledger {}", path));
  }
  return sqlite;
}

Sqlite::~Sqlite() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

absl::StatusOr<SqliteRows> Sqlite::Prepare(std::string_view sql) {
  const auto found = statements_.find(View(sql));
  if (found != statements_.end()) return SqliteRows(database_, found->second);
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return ErrorOf(database_, "prepare a ledger statement");
  statements_.emplace(std::string(sql), statement);
  return SqliteRows(database_, statement);
}

absl::Status Sqlite::Execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return absl::OkStatus();
  return ErrorOf(database_, "ledger");
}

}  // namespace hakobu
