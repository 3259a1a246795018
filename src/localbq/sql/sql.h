// GoogleSQL, as data pipelines use it, translated to DuckDB. Pure: tables are asked for through a Resolver.
// What is not supported is refused by name (InvalidArgument, reason invalidQuery, Google's wording with
// [line:column]), never answered wrongly. A missing table is NotFound, an existing one AlreadyExists, both
// with Google's wording. Source of truth: https://docs.cloud.google.com/bigquery/docs/reference/standard-sql
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "localbq/catalog/schema.h"

namespace hakobu::localbq::sql {

struct TableName {
  std::string project, dataset, table;  // table is empty where a dataset is named
  bool operator==(const TableName&) const = default;
};

enum class RelationKind : uint8_t { kTable, kView };

struct TableInfo {
  RelationKind kind = RelationKind::kTable;
  Schema schema;
  std::string source;  // what to read from in DuckDB: a quoted relation, or a parenthesised query (CDC merge)
  std::string target;  // the quoted relation that DML writes; empty: no DML here
  std::string view_query;  // of a kView: GoogleSQL
  std::vector<std::string> primary_key;
  std::string dml_refusal;            // non-empty: why UPDATE, DELETE and MERGE are refused (active CDC)
  int64_t bytes = 0;                  // of all columns, for dry runs
  std::vector<int64_t> column_bytes;  // of each column of `schema`; empty: not known
  std::string required_filter;        // the column that a query must filter by; empty: none
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  // `name` is complete (project and dataset filled in). INFORMATION_SCHEMA views arrive with table
  // "INFORMATION_SCHEMA.TABLES" and an empty dataset, or "region-us", where region-qualified.
  virtual absl::StatusOr<TableInfo> FindTable(const TableName& name) = 0;
  // What is asked for between the two is read by the view's query.
  virtual void EnterView(const TableName&) {}
  virtual void LeaveView() {}
};

// A query parameter's value, as REST sends it: scalar text, or elements of an ARRAY, or fields of a STRUCT in
// order.
struct ParameterValue {
  bool is_null = false;
  std::string scalar;
  std::vector<ParameterValue> elements;
};
struct Parameter {
  std::string name;  // empty: positional
  Column type;       // mode kRepeated: ARRAY
  ParameterValue value;
};

struct Context {
  std::string project;          // names without one mean this
  std::string default_dataset;  // may be empty
  std::string default_dataset_project;
  std::vector<Parameter> parameters;
  std::string session_user = "user@example.com";
  int64_t now_us = 0;  // CURRENT_TIMESTAMP(), the same throughout a statement; 0: DuckDB's own clock
  Resolver* resolver = nullptr;
};

enum class StatementKind : uint8_t {
  kSelect,
  kInsert,
  kUpdate,
  kDelete,
  kMerge,
  kTruncate,
  kCreateTable,
  kCreateTableAsSelect,
  kCreateView,
  kCreateSchema,
  kDropTable,
  kDropView,
  kDropSchema,
  kAlterTable,
  kAlterView,
  kAlterSchema,
  kBegin,
  kCommit,
  kRollback,
};
// "SELECT", "CREATE_TABLE_AS_SELECT" …: statistics.query.statementType.
std::string_view StatementTypeName(StatementKind kind);

// OPTIONS(name = value): values are evaluated: text for strings, numbers, TRUE/FALSE, INTERVAL (as "0-0 0
// 0:10:0"), timestamps (RFC 3339); pairs for labels. is_null: the option is taken away.
struct Option {
  std::string name;
  bool is_null = false;
  std::string text;
  std::vector<std::string> list;
  std::vector<std::pair<std::string, std::string>> pairs;
};

struct ForeignKey {
  std::string name;
  std::vector<std::string> columns;
  TableName referenced_table;
  std::vector<std::string> referenced_columns;
};

struct Partitioning {
  std::string type;                          // DAY, HOUR, MONTH, YEAR; RANGE
  std::string column;                        // empty: by ingestion time
  int64_t start = 0, end = 0, interval = 0;  // of RANGE
};

struct TableDefinition {
  TableName name;
  Schema schema;
  std::vector<std::string> primary_key;
  std::vector<ForeignKey> foreign_keys;
  std::optional<Partitioning> partitioning;
  std::vector<std::string> clustering;
  std::vector<Option> options;
  std::string view_query;         // GoogleSQL, of a view
  std::optional<TableName> like;  // CREATE TABLE … LIKE or COPY: definition of this one
  bool copy_data = false;         // COPY and CLONE
  bool or_replace = false, if_not_exists = false;
};

enum class AlterKind : uint8_t {
  kAddColumn,
  kDropColumn,
  kRenameColumn,
  kRenameTable,
  kSetOptions,
  kSetColumnOptions,
  kDropNotNull,
  kSetDataType,
  kSetDefault,
  kDropDefault,
  kAddPrimaryKey,
  kDropPrimaryKey,
  kAddForeignKey,
  kDropConstraint,
  kSetDefaultCollate,
};
struct AlterAction {
  AlterKind kind;
  bool if_exists = false;  // of the column or constraint (IF NOT EXISTS for kAddColumn)
  std::string column;      // the column's path, or the constraint's name
  std::string text;        // new name, default expression, collation
  Column definition;       // kAddColumn, kSetDataType
  std::vector<Option> options;
  std::vector<std::string> key;
  ForeignKey foreign_key;
};

struct ReferencedTable {
  TableName name;
  int64_t bytes = 0;  // of the columns that are read
};

struct Statement {
  StatementKind kind = StatementKind::kSelect;
  std::string text;  // this statement's GoogleSQL
  // DuckDB SQL: the query of kSelect, kCreateTableAsSelect and kCreateView; the whole statement of DML.
  std::string duckdb;
  // DML: DuckDB queries to run before `duckdb` in its transaction; each must return no row, else
  // `check_error` applies.
  std::vector<std::string> checks;
  std::string check_error;
  Schema schema;                     // columns of the result, of kSelect and kCreateTableAsSelect
  TableName target;                  // of DML and DDL (a dataset: table empty)
  TableDefinition definition;        // kCreateTable, kCreateTableAsSelect, kCreateView
  std::vector<AlterAction> actions;  // kAlter…
  std::vector<Option> options;       // kCreateSchema, kAlterSchema
  bool if_exists = false, if_not_exists = false, or_replace = false, cascade = false;
  std::vector<ReferencedTable> referenced;  // tables and views read (a view's own tables too)
};

// All statements of a script, in order. DuckDB must run with TimeZone UTC and RegisterFunctions (functions.h)
// done. Statements are translated against the tables as they are now: a script that creates what it later
// reads is translated statement by statement with `SplitScript`.
absl::StatusOr<std::vector<Statement>> Translate(std::string_view sql, const Context& context);

// The statements' own texts (comments and string literals understood), without the semicolons.
absl::StatusOr<std::vector<std::string>> SplitScript(std::string_view sql);

// A column default or similar, of `type`, as a DuckDB expression without column references.
absl::StatusOr<std::string> TranslateExpression(std::string_view expression, const Column& type,
                                                const Context& context);

// A row filter over one table's columns (Storage Read row_restriction, row access policies) as a DuckDB
// condition over columns named as in the schema.
absl::StatusOr<std::string> TranslateFilter(std::string_view expression, const Schema& schema,
                                            const Context& context);

}  // namespace hakobu::localbq::sql
