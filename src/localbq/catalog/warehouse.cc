#include "localbq/catalog/warehouse.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/time/clock.h"
#include "base/private_file.h"
#include "base/status.h"
#include "localbq/sql/functions.h"

namespace hakobu::localbq {
namespace {

constexpr int kTries = 20;
constexpr size_t kIdleConnections = 64;
constexpr absl::Duration kFirstCommitPause = absl::Microseconds(20);
constexpr absl::Duration kLongestCommitPause = absl::Microseconds(200);

// DuckDB's messages begin with their class: "Catalog Error: …", then may quote the statement on further
// lines.
absl::Status ToStatus(duckdb_error_type type, const char* text) {
  std::string message = text == nullptr ? "unknown error of DuckDB" : text;
  if (const size_t quote = message.find("\n\nLINE"); quote != std::string::npos) message.resize(quote);
  const auto has = [&](std::string_view part) { return message.find(part) != std::string::npos; };
  // Whatever DuckDB was doing when the disk said no: nothing to try again at once, and nobody's conflict.
  if (has("No space left on device") || has("Disk quota exceeded")) return absl::InternalError(message);
  if (type == DUCKDB_ERROR_TRANSACTION || has("write-write conflict") || has("Transaction conflict") ||
      has("altered (or dropped) by a different transaction")) {
    return absl::AbortedError(message);
  }
  switch (type) {
    case DUCKDB_ERROR_INTERRUPT:
      return absl::CancelledError(message);
    case DUCKDB_ERROR_CATALOG:
      return has("does not exist") ? absl::NotFoundError(message) : absl::InvalidArgumentError(message);
    case DUCKDB_ERROR_CONSTRAINT:
      return absl::FailedPreconditionError(message);
    case DUCKDB_ERROR_CONVERSION:
    case DUCKDB_ERROR_OUT_OF_RANGE:
      return absl::OutOfRangeError(message);
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      return absl::ResourceExhaustedError(message);
    case DUCKDB_ERROR_IO:
    case DUCKDB_ERROR_INTERNAL:
    case DUCKDB_ERROR_FATAL:
      return absl::InternalError(message);
    default:
      return absl::InvalidArgumentError(message);
  }
}

// For all queries and what is kept of tables between them: what needs more goes to disk, or ends. Half of the
// machine's memory, as others work on it.
std::string MemoryLimit() {
  const auto bytes =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return fmt::format("{}MiB", std::max<uint64_t>(bytes / 2 >> 20, 512));
}

}  // namespace

std::optional<Chunk> Result::Next() {
  duckdb_data_chunk chunk = duckdb_fetch_chunk(result_);
  if (chunk == nullptr) return std::nullopt;
  return Chunk(chunk);
}

absl::Status Result::Failure() {
  const char* text = duckdb_result_error(&result_);
  return text == nullptr || *text == 0 ? absl::OkStatus()
                                       : ToStatus(duckdb_result_error_type(&result_), text);
}

std::optional<int64_t> Result::FirstInt64() {
  const std::optional<Chunk> chunk = Next();
  if (!chunk || chunk->rows() == 0) return std::nullopt;
  const duckdb_vector vector = chunk->column(0);
  uint64_t* validity = duckdb_vector_get_validity(vector);
  if (validity != nullptr && !duckdb_validity_row_is_valid(validity, 0)) return std::nullopt;
  return static_cast<int64_t*>(duckdb_vector_get_data(vector))[0];
}

std::optional<std::string> Result::FirstText() {
  const std::optional<Chunk> chunk = Next();
  if (!chunk || chunk->rows() == 0) return std::nullopt;
  const duckdb_vector vector = chunk->column(0);
  uint64_t* validity = duckdb_vector_get_validity(vector);
  if (validity != nullptr && !duckdb_validity_row_is_valid(validity, 0)) return std::nullopt;
  auto* text = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  return std::string(duckdb_string_t_data(text), duckdb_string_t_length(*text));
}

absl::Status Connection::Run(std::string_view sql) {
  return Query(sql).status();
}

absl::StatusOr<Result> Connection::Query(std::string_view sql, const std::vector<Value>& parameters) {
  if (!parameters.empty()) return Execute(sql, parameters, false);
  duckdb_result raw;
  const duckdb_state state = duckdb_query(connection_, std::string(sql).c_str(), &raw);
  Result result(raw);
  if (state != DuckDBSuccess) return ToStatus(duckdb_result_error_type(&raw), duckdb_result_error(&raw));
  return result;
}

absl::StatusOr<Result> Connection::Stream(std::string_view sql, const std::vector<Value>& parameters) {
  return Execute(sql, parameters, true);
}

absl::StatusOr<Result> Connection::Execute(std::string_view sql, const std::vector<Value>& parameters,
                                           bool stream) {
  duckdb_prepared_statement prepared = nullptr;
  absl::Status status;
  duckdb_result raw;
  if (duckdb_prepare(connection_, std::string(sql).c_str(), &prepared) != DuckDBSuccess) {
    const char* text = duckdb_prepare_error(prepared);
    const std::string message = text == nullptr ? "" : text;
    const duckdb_error_type type =
        message.starts_with("Catalog Error") ? DUCKDB_ERROR_CATALOG : DUCKDB_ERROR_INVALID_INPUT;
    status = ToStatus(type, message.c_str());
    duckdb_destroy_prepare(&prepared);
    return status;
  }
  for (size_t i = 0; i < parameters.size() && status.ok(); ++i) {
    if (duckdb_bind_value(prepared, i + 1, parameters[i].get()) != DuckDBSuccess) {
      status =
          absl::InvalidArgumentError(fmt::format("bind parameter {}: it does not fit the statement", i + 1));
    }
  }
  if (!status.ok()) {
    duckdb_destroy_prepare(&prepared);
    return status;
  }
  const duckdb_state state =
      stream ? duckdb_execute_prepared_streaming(prepared, &raw) : duckdb_execute_prepared(prepared, &raw);
  Result result(raw);
  if (state != DuckDBSuccess) status = ToStatus(duckdb_result_error_type(&raw), duckdb_result_error(&raw));
  duckdb_destroy_prepare(&prepared);
  if (!status.ok()) return status;
  return result;
}

// A commit's write to disk runs on a thread of DuckDB's, and duckdb_query would spin for as long as it takes:
// here the core is left to others.
absl::Status Connection::Commit() {
  if (commit_ == nullptr && duckdb_prepare(connection_, "COMMIT", &commit_) != DuckDBSuccess) {
    const char* text = duckdb_prepare_error(commit_);
    const absl::Status status = ToStatus(DUCKDB_ERROR_INVALID_INPUT, text);
    duckdb_destroy_prepare(&commit_);
    return status;
  }
  duckdb_pending_result pending = nullptr;
  (void)duckdb_pending_prepared(commit_, &pending);
  absl::Duration pause = kFirstCommitPause;
  for (;;) {
    const duckdb_pending_state state = duckdb_pending_execute_task(pending);
    if (duckdb_pending_execution_is_finished(state)) break;
    if (state != DUCKDB_PENDING_NO_TASKS_AVAILABLE) continue;
    absl::SleepFor(pause);
    pause = std::min(pause * 2, kLongestCommitPause);
  }
  absl::Status status;
  if (const char* text = duckdb_pending_error(pending); text != nullptr && *text != 0) {
    const bool is_conflict = std::string_view(text).starts_with("TransactionContext Error");
    status = ToStatus(is_conflict ? DUCKDB_ERROR_TRANSACTION : DUCKDB_ERROR_INTERNAL, text);
  } else {
    duckdb_result raw;
    (void)duckdb_execute_pending(pending, &raw);
    if (const char* failure = duckdb_result_error(&raw); failure != nullptr) {
      status = ToStatus(duckdb_result_error_type(&raw), failure);
    }
    duckdb_destroy_result(&raw);
  }
  duckdb_destroy_pending(&pending);
  return status;
}

absl::StatusOr<Appender> Appender::Open(Connection& connection, const std::string& schema,
                                        const std::string& table) {
  duckdb_appender raw = nullptr;
  const duckdb_state state = duckdb_appender_create(connection.get(), schema.c_str(), table.c_str(), &raw);
  Appender appender(raw);
  if (state != DuckDBSuccess) return appender.Failure();
  return appender;
}

absl::Status Appender::Failure() {
  const char* text = duckdb_appender_error(appender_);
  const std::string message = text == nullptr ? "unknown error of DuckDB's appender" : text;
  if (message.find("could not be found") != std::string::npos) return absl::NotFoundError(message);
  if (message.find("Constraint Error") != std::string::npos) return absl::FailedPreconditionError(message);
  return ToStatus(DUCKDB_ERROR_INVALID, message.c_str());
}

Chunk Appender::MakeChunk() {
  const idx_t count = duckdb_appender_column_count(appender_);
  std::vector<duckdb_logical_type> types(count);
  for (idx_t i = 0; i < count; ++i) types[i] = duckdb_appender_column_type(appender_, i);
  Chunk chunk(duckdb_create_data_chunk(types.data(), count));
  for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
  return chunk;
}

absl::Status Appender::Append(const Chunk& chunk) {
  return duckdb_append_data_chunk(appender_, chunk.get()) == DuckDBSuccess ? absl::OkStatus() : Failure();
}

absl::Status Appender::Close() {
  return duckdb_appender_close(appender_) == DuckDBSuccess ? absl::OkStatus() : Failure();
}

absl::StatusOr<std::unique_ptr<Warehouse>> Warehouse::Open(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return absl::InvalidArgumentError(fmt::format("create folder {}: {}", folder, error.message()));
  const std::string path = (std::filesystem::path(folder) / "warehouse.duckdb").string();
  for (const char* of : {"", ".wal"}) HAKOBU_RETURN_IF_ERROR(MakePrivate(path + of));
  duckdb_config config = nullptr;
  duckdb_create_config(&config);
  // A checkpoint writes the whole catalog again: with 10,000 tables that must be rare. The newest storage
  // form keeps that catalog small. To find out how each column is best compressed is more than half of the
  // CPU time that storing rows takes, and saves three quarters of the disk: tests want the time.
  constexpr std::pair<const char*, const char*> kSettings[] = {{"checkpoint_threshold", "256MB"},
                                                               {"storage_compatibility_version", "latest"},
                                                               {"force_compression", "uncompressed"},
                                                               {"autoinstall_known_extensions", "false"},
                                                               {"autoload_known_extensions", "false"}};
  for (const auto& [name, value] : kSettings) duckdb_set_config(config, name, value);
  duckdb_set_config(config, "memory_limit", MemoryLimit().c_str());
  duckdb_database database = nullptr;
  char* text = nullptr;
  const duckdb_state state = duckdb_open_ext(path.c_str(), &database, config, &text);
  duckdb_destroy_config(&config);
  if (state != DuckDBSuccess) {
    const std::string message = text == nullptr ? "unknown error" : text;
    duckdb_free(text);
    return absl::FailedPreconditionError(fmt::format(
        "open {}: {}; hint: another hakobu may have it open, one process at a time can", path, message));
  }
  std::unique_ptr<Warehouse> warehouse(new Warehouse(database));
  HAKOBU_ASSIGN_OR_RETURN(const Lease lease, warehouse->Connect());
  HAKOBU_RETURN_IF_ERROR(lease->Run("SET GLOBAL TimeZone = 'UTC'"));
  HAKOBU_RETURN_IF_ERROR(sql::RegisterFunctions(lease->get()));
  return warehouse;
}

Warehouse::~Warehouse() {
  {
    absl::MutexLock lock(&mutex_);
    idle_.clear();
  }
  duckdb_close(&database_);
}

absl::StatusOr<Warehouse::Lease> Warehouse::Connect() {
  {
    absl::MutexLock lock(&mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      return Lease(this, std::move(connection));
    }
  }
  duckdb_connection raw = nullptr;
  if (duckdb_connect(database_, &raw) != DuckDBSuccess)
    return absl::InternalError("connect to DuckDB: refused");
  return Lease(this, std::make_unique<Connection>(raw));
}

void Warehouse::Return(std::unique_ptr<Connection> connection) {
  connection->Rollback();
  absl::MutexLock lock(&mutex_);
  if (idle_.size() < kIdleConnections) idle_.push_back(std::move(connection));
}

absl::Status Warehouse::InTransaction(absl::FunctionRef<absl::Status(Connection&)> work) {
  HAKOBU_ASSIGN_OR_RETURN(const Lease lease, Connect());
  absl::Duration pause = absl::Milliseconds(1);
  for (int attempt = 1;; ++attempt) {
    HAKOBU_RETURN_IF_ERROR(lease->Begin());
    absl::Status status = work(*lease);
    if (status.ok()) status = lease->Commit();
    if (status.ok()) return status;
    lease->Rollback();
    if (!absl::IsAborted(status) || attempt == kTries) return status;
    absl::SleepFor(pause);
    pause = std::min(pause * 2, absl::Milliseconds(100));
  }
}

}  // namespace hakobu::localbq
