// Runs GoogleSQL against the catalog: translates statement by statement, changes tables, streams a query's
// rows.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/warehouse.h"
#include "localbq/sql/sql.h"

namespace hakobu::localbq::sql {

// Where a query job's rows go. Dispositions as in REST: WRITE_EMPTY, WRITE_APPEND, WRITE_TRUNCATE,
// WRITE_TRUNCATE_DATA; CREATE_IF_NEEDED, CREATE_NEVER.
struct Destination {
  TableId table;
  std::string write = "WRITE_EMPTY", create = "CREATE_IF_NEEDED";
  bool allow_field_addition = false, allow_field_relaxation = false;
  std::optional<TimePartitioning> time_partitioning;
  std::optional<RangePartitioning> range_partitioning;
  std::vector<std::string> clustering;
};

struct Answer;

enum class Access : uint8_t { kWrite, kCreate, kAlter, kDrop };

// What the rest of the local BigQuery decides. Every member may be empty.
struct ExecuteHooks {
  // PermissionDenied with Google's words, or OK. A dataset: table empty.
  std::function<absl::Status(const TableName&, Access)> check_access;
  // The same for reading a table or view; `through`: the view whose query reads it, null where the statement
  // itself does.
  std::function<absl::Status(const TableName&, const TableName* through)> check_read;
  // Whether INFORMATION_SCHEMA shows the table, or the dataset (table empty).
  std::function<bool(const TableName&)> may_see;
  // The rows of a table that may be read, as a DuckDB condition over its columns; empty: all.
  std::function<absl::StatusOr<std::string>(const Table&)> row_condition;
  // Whether UPDATE, DELETE and MERGE are refused because CDC rows were streamed recently.
  std::function<bool(const Table&)> cdc_active;
  // INFORMATION_SCHEMA.TABLES.upsert_stream_apply_watermark: microseconds since 1970; nullopt: NULL.
  std::function<std::optional<int64_t>(const Table&)> apply_watermark;
  // What to read of a table instead of its relation (rows not yet applied): a relation or parenthesised
  // query.
  std::function<absl::StatusOr<std::string>(const Table&)> read_source;
  // The same for CREATE TABLE … COPY and CLONE.
  std::function<absl::StatusOr<std::string>(const Table&)> rows_to_copy;
  // Called before statements run on a connection; what it answers is destroyed after them. An error ends the
  // statement before it begins.
  std::function<absl::StatusOr<std::shared_ptr<void>>(Connection&)> on_connection;
  // Called in the transaction of the script's last statement, before its commit, with all that the answer
  // says but rows: of DML, a destination, CREATE TABLE AS SELECT. May be called again when the transaction
  // is.
  std::function<absl::Status(Connection&, const Answer&)> before_commit;
  // Called before a statement changes a table's rows or description.
  std::function<absl::Status(StatementKind, const TableName&)> admit_write;
  // Called after DDL has made or altered a table.
  std::function<void(const TableName&)> after_ddl;
  // Whether the table was streamed to so lately that it can be neither renamed nor have columns renamed or
  // retyped.
  std::function<bool(const Table&)> is_streamed_to;
  // Whether what Google's service does by itself is done here: see faults/behaviours.h.
  bool publish_losses = false, layouts = false, streaming_alters = false, partition_filters = false,
       truncate_data_policies = false;
};

struct DmlStatistics {
  int64_t inserted = 0, updated = 0, deleted = 0;
  int64_t affected() const { return inserted + updated + deleted; }
};

// The answer of a script: of its last statement, with what all of them referenced.
struct Answer {
  StatementKind kind = StatementKind::kSelect;
  Schema schema;  // empty of DDL and DML
  // kSelect without destination: the rows, in chunks of DuckDB's storage types (schema.h); valid while
  // `lease` is.
  std::unique_ptr<Warehouse::Lease> lease;
  std::optional<Result> rows;
  DmlStatistics dml;
  TableName target;                         // of DML and DDL, and of a destination
  std::vector<ReferencedTable> referenced;  // without duplicates
  int64_t bytes_processed = 0;              // estimated from row counts and column types
  std::string ddl_operation;                // CREATE, REPLACE, DROP, ALTER, SKIP
  int statement_count = 0;
};

// InvalidArgument is REST's invalidQuery, NotFound notFound, AlreadyExists duplicate, PermissionDenied
// accessDenied.
absl::StatusOr<Answer> Execute(std::string_view sql, const Context& context, Catalog& catalog,
                               const ExecuteHooks& hooks = {}, const Destination* destination = nullptr);

// Only translates: schema, kind, referenced tables and bytes.
absl::StatusOr<Answer> DryRun(std::string_view sql, const Context& context, Catalog& catalog,
                              const ExecuteHooks& hooks = {});

}  // namespace hakobu::localbq::sql
