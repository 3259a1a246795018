#include "ledger/sqlite.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "base/check.h"
#include "base/private_file.h"
#include "base/status.h"

namespace hakobu {
namespace {

// SQLite's own pauses between two looks at a lock.
constexpr absl::Duration kShortestPause = absl::Milliseconds(1), kLongestPause = absl::Milliseconds(25);
// A lock that is held for less is nobody's business.
constexpr absl::Duration kUsualLock = absl::Seconds(1);

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
      return WithHint(absl::UnavailableError(message),
                      "another process holds the file locked: end what it does with it");
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
  sqlite3* const database = sqlite_->database_;
  HAKOBU_CHECK(bound_ == sqlite3_bind_parameter_count(statement_),
               fmt::format("a statement of the ledger has {} values for {} marks: {}", bound_,
                           sqlite3_bind_parameter_count(statement_), sqlite3_sql(statement_)),
               "nothing was written by it; report this line");
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) return sqlite_->Error("ledger");
  if (sqlite3_stmt_readonly(statement_) == 0 && sqlite3_get_autocommit(database) != 0) sqlite_->Written();
  return false;
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

Sqlite::Sqlite(sqlite3* database, const std::string& path, const SqliteOptions& options)
    : database_(database), path_(path), work_("write the ledger " + path), options_(options) {
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_handler(database, OnBusy, this);
}

int Sqlite::OnBusy(void* self, int tries) {
  auto* const sqlite = static_cast<Sqlite*>(self);
  const SqliteOptions& options = sqlite->options_;
  const absl::Time now = absl::Now();
  if (tries == 0) sqlite->busy_since_ = now;
  const absl::Duration waited = now - sqlite->busy_since_;
  if (waited > options.patience) return 0;
  if (waited > kUsualLock && options.outages != nullptr) {
    sqlite->troubled_ = true;
    options.outages->OnFailure(
        sqlite->work_,
        absl::UnavailableError(fmt::format("{}: another process holds the file locked", sqlite->work_)));
  }
  const absl::Duration pause = std::min(kShortestPause * (1 + tries), kLongestPause);
  if (options.cancel != nullptr) return options.cancel->WaitFor(pause) ? 0 : 1;
  absl::SleepFor(pause);
  return 1;
}

absl::Status Sqlite::Error(std::string_view what) {
  absl::Status status = ErrorOf(database_, fmt::format("{} {}", what, path_));
  if (options_.outages != nullptr && absl::IsResourceExhausted(status)) {
    troubled_ = true;
    options_.outages->OnFailure(work_, status);
  }
  return status;
}

void Sqlite::Written() {
  if (!troubled_) return;
  troubled_ = false;
  options_.outages->OnSuccess(work_);
}

absl::StatusOr<std::unique_ptr<Sqlite>> Sqlite::Open(const std::string& path, const SqliteOptions& options) {
  for (const char* of : {"", "-wal", "-shm"}) HAKOBU_RETURN_IF_ERROR(MakePrivate(path + of));
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  if (code != SQLITE_OK) {
    const absl::Status status = ErrorOf(database, fmt::format("open ledger {}", path));
    sqlite3_close(database);
    return status;
  }
  auto sqlite = std::unique_ptr<Sqlite>(new Sqlite(database, path, options));
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON",
                             "PRAGMA secure_delete=ON"}) {
    const absl::Status status = sqlite->Execute(pragma);
    if (!status.ok()) return Annotate(status, "open");
  }
  return sqlite;
}

Sqlite::~Sqlite() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

absl::StatusOr<SqliteRows> Sqlite::Prepare(std::string_view sql) {
  const auto found = statements_.find(View(sql));
  if (found != statements_.end()) return SqliteRows(this, found->second);
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return Error("prepare a statement of ledger");
  statements_.emplace(std::string(sql), statement);
  return SqliteRows(this, statement);
}

absl::Status Sqlite::Execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return Error("ledger");
  if (std::string_view(sql) == "COMMIT") Written();
  return absl::OkStatus();
}

}  // namespace hakobu
