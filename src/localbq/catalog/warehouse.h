// The DuckDB database below: one file, DIR/warehouse.duckdb, whose commits are on disk when they return.
// RAII over its C API; the API itself (duckdb.h) stays visible for what fills and reads vectors.
#pragma once

#include <duckdb.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace hakobu::localbq {

// One value of any DuckDB type, for statement parameters.
class Value {
 public:
  explicit Value(duckdb_value value) : value_(value) {}
  Value(Value&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Value& operator=(Value&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Value() { duckdb_destroy_value(&value_); }
  static Value Text(std::string_view text) {
    return Value(duckdb_create_varchar_length(text.data(), text.size()));
  }
  static Value Int64(int64_t value) { return Value(duckdb_create_int64(value)); }
  duckdb_value get() const { return value_; }

 private:
  duckdb_value value_;
};

// Up to 2048 rows of a result, or of rows to append.
class Chunk {
 public:
  Chunk() : chunk_(nullptr) {}
  explicit Chunk(duckdb_data_chunk chunk) : chunk_(chunk) {}
  Chunk(Chunk&& other) noexcept : chunk_(std::exchange(other.chunk_, nullptr)) {}
  Chunk& operator=(Chunk&& other) noexcept {
    std::swap(chunk_, other.chunk_);
    return *this;
  }
  ~Chunk() { duckdb_destroy_data_chunk(&chunk_); }
  idx_t rows() const { return duckdb_data_chunk_get_size(chunk_); }
  idx_t columns() const { return duckdb_data_chunk_get_column_count(chunk_); }
  void SetRows(idx_t rows) { duckdb_data_chunk_set_size(chunk_, rows); }
  void Reset() { duckdb_data_chunk_reset(chunk_); }
  duckdb_vector column(idx_t index) const { return duckdb_data_chunk_get_vector(chunk_, index); }
  duckdb_data_chunk get() const { return chunk_; }

 private:
  duckdb_data_chunk chunk_;
};

// A statement's answer, materialised in DuckDB's memory. Movable; must not outlive its Warehouse.
class Result {
 public:
  explicit Result(duckdb_result result) : result_(result), owned_(true) {}
  Result(Result&& other) noexcept : result_(other.result_), owned_(std::exchange(other.owned_, false)) {}
  Result& operator=(Result&& other) noexcept {
    std::swap(result_, other.result_);
    std::swap(owned_, other.owned_);
    return *this;
  }
  ~Result() {
    if (owned_) duckdb_destroy_result(&result_);
  }
  idx_t columns() { return duckdb_column_count(&result_); }
  std::string column_name(idx_t index) { return duckdb_column_name(&result_, index); }
  // The caller destroys the type (duckdb_destroy_logical_type).
  duckdb_logical_type column_type(idx_t index) { return duckdb_column_logical_type(&result_, index); }
  // Of INSERT, UPDATE, DELETE.
  int64_t rows_changed() { return static_cast<int64_t>(duckdb_rows_changed(&result_)); }
  // The next chunk in order; nullopt at the end.
  std::optional<Chunk> Next();
  // After the last chunk of what was streamed: why it was the last, or OK.
  absl::Status Failure();
  // Convenience for one-value answers: the first row's column as a number or text; nullopt without rows or
  // for NULL.
  std::optional<int64_t> FirstInt64();
  std::optional<std::string> FirstText();

 private:
  duckdb_result result_;
  bool owned_;
};

// One DuckDB connection: one thread and one transaction at a time.
class Connection {
 public:
  explicit Connection(duckdb_connection connection) : connection_(connection) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    duckdb_destroy_prepare(&commit_);
    duckdb_disconnect(&connection_);
  }

  // Errors carry DuckDB's message. Codes: Aborted for a conflict with another transaction, Cancelled when
  // interrupted, NotFound for an unknown table, FailedPrecondition for a broken constraint, OutOfRange for a
  // value that does not fit or convert, InvalidArgument otherwise.
  absl::Status Run(std::string_view sql);
  absl::StatusOr<Result> Query(std::string_view sql, const std::vector<Value>& parameters = {});
  // Like Query, but rows are computed as Next() asks for them. No other statement may run meanwhile.
  absl::StatusOr<Result> Stream(std::string_view sql, const std::vector<Value>& parameters = {});

  absl::Status Begin() { return Run("BEGIN TRANSACTION"); }
  absl::Status Commit();
  void Rollback() { (void)Run("ROLLBACK"); }

  // Makes the running statement end with Cancelled; from any thread.
  void Interrupt() { duckdb_interrupt(connection_); }
  duckdb_connection get() const { return connection_; }

 private:
  absl::StatusOr<Result> Execute(std::string_view sql, const std::vector<Value>& parameters, bool stream);
  duckdb_connection connection_;
  duckdb_prepared_statement commit_ = nullptr;
};

// Appends whole chunks to one table, inside the connection's transaction if there is one. Rows are there
// after Close.
class Appender {
 public:
  // Plain names: DuckDbSchemaName, DuckDbTableName.
  static absl::StatusOr<Appender> Open(Connection& connection, const std::string& schema,
                                       const std::string& table);
  Appender(Appender&& other) noexcept : appender_(std::exchange(other.appender_, nullptr)) {}
  Appender& operator=(Appender&& other) noexcept {
    std::swap(appender_, other.appender_);
    return *this;
  }
  ~Appender() { duckdb_appender_destroy(&appender_); }
  // An empty chunk of the table's columns; fill it, SetRows, Append, Reset.
  Chunk MakeChunk();
  absl::Status Append(const Chunk& chunk);
  absl::Status Close();

 private:
  explicit Appender(duckdb_appender appender) : appender_(appender) {}
  absl::Status Failure();
  duckdb_appender appender_;
};

// Thread-safe. Must outlive every lease.
class Warehouse {
 public:
  static absl::StatusOr<std::unique_ptr<Warehouse>> Open(const std::string& folder);
  ~Warehouse();

  // A connection for the caller's use alone; it goes back at the end, rolled back if a transaction is open.
  class Lease {
   public:
    Lease(Warehouse* warehouse, std::unique_ptr<Connection> connection)
        : warehouse_(warehouse), connection_(std::move(connection)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (connection_) warehouse_->Return(std::move(connection_));
    }
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    Warehouse* warehouse_;
    std::unique_ptr<Connection> connection_;
  };
  absl::StatusOr<Lease> Connect();

  // Runs `work` in a transaction and commits; after a conflict (Aborted) rolls back and runs it again, up to
  // 20 times with growing pauses. `work` must not commit itself and must bear being run again.
  absl::Status InTransaction(absl::FunctionRef<absl::Status(Connection&)> work);

 private:
  explicit Warehouse(duckdb_database database) : database_(database) {}
  void Return(std::unique_ptr<Connection> connection);

  duckdb_database database_;
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu::localbq
