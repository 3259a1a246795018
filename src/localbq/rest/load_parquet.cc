// Parquet loads, through DuckDB's reader.
// Source: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#parquet_conversions
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "localbq/catalog/names.h"
#include "localbq/rest/http.h"
#include "localbq/rest/load_source.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

class LogicalType {
 public:
  explicit LogicalType(duckdb_logical_type type) : type_(type) {}
  LogicalType(const LogicalType&) = delete;
  LogicalType& operator=(const LogicalType&) = delete;
  ~LogicalType() { duckdb_destroy_logical_type(&type_); }
  duckdb_logical_type get() const { return type_; }

 private:
  duckdb_logical_type type_;
};

Column ColumnOf(const std::string& name, duckdb_logical_type type);

Column DecimalColumn(const std::string& name, duckdb_logical_type type) {
  const int scale = duckdb_decimal_scale(type), whole = duckdb_decimal_width(type) - scale;
  return {.name = name, .type = scale <= 9 && whole <= 29 ? Type::kNumeric : Type::kBigNumeric};
}

Column StructColumn(const std::string& name, duckdb_logical_type type) {
  Column column{.name = name, .type = Type::kRecord};
  for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
    char* child_name = duckdb_struct_type_child_name(type, i);
    const LogicalType child(duckdb_struct_type_child_type(type, i));
    column.fields.push_back(ColumnOf(child_name, child.get()));
    duckdb_free(child_name);
  }
  return column;
}

Column ColumnOf(const std::string& name, duckdb_logical_type type) {
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_BOOLEAN:
      return {.name = name, .type = Type::kBool};
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
      return {.name = name, .type = Type::kInt64};
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
      return {.name = name, .type = Type::kFloat64};
    case DUCKDB_TYPE_DECIMAL:
      return DecimalColumn(name, type);
    case DUCKDB_TYPE_DATE:
      return {.name = name, .type = Type::kDate};
    case DUCKDB_TYPE_TIME:
    case DUCKDB_TYPE_TIME_NS:
      return {.name = name, .type = Type::kTime};
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return {.name = name, .type = Type::kDateTime};
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return {.name = name, .type = Type::kTimestamp};
    case DUCKDB_TYPE_INTERVAL:
      return {.name = name, .type = Type::kInterval};
    case DUCKDB_TYPE_BLOB:
      return {.name = name, .type = Type::kBytes};
    case DUCKDB_TYPE_STRUCT:
      return StructColumn(name, type);
    case DUCKDB_TYPE_LIST: {
      const LogicalType child(duckdb_list_type_child_type(type));
      Column column = ColumnOf(name, child.get());
      column.mode = Mode::kRepeated;
      return column;
    }
    default: {
      char* alias = duckdb_logical_type_get_alias(type);
      const bool is_json = alias != nullptr && std::string_view(alias) == "JSON";
      duckdb_free(alias);
      return {.name = name, .type = is_json ? Type::kJson : Type::kString};
    }
  }
}

// A value of the file as the target stores it: `value` is SQL for the file's. `depth` names lambda parameters
// apart.
std::string Converted(const std::string& value, const Column& from, const Column& to, int depth);

// BIGNUMERIC is stored times 10^38; DuckDB casts no DECIMAL to BIGNUM but a text of digits.
std::string ToBigNumeric(const std::string& value) {
  return fmt::format(
      "CAST(CASE WHEN instr(CAST({0} AS VARCHAR), '.') = 0 THEN CAST({0} AS VARCHAR) || repeat('0', 38) ELSE "
      "replace(CAST({0} AS VARCHAR), '.', '') || repeat('0', 38 - (length(CAST({0} AS VARCHAR)) - "
      "instr(CAST({0} AS VARCHAR), '.'))) END AS BIGNUM)",
      value);
}

std::string ToRecord(const std::string& value, const Column& from, const Column& to, int depth) {
  std::string fields;
  for (const Column& field : to.fields) {
    const Column* found = FindColumn(from.fields, field.name);
    fields += fmt::format(
        "{}{} := {}", fields.empty() ? "" : ", ", Quoted(field.name),
        found == nullptr ? fmt::format("CAST(NULL AS {})", DuckDbType(field))
                         : Converted(fmt::format("struct_extract({}, {})", value, QuotedLiteral(found->name)),
                                     *found, field, depth));
  }
  return fmt::format("CASE WHEN {} IS NULL THEN NULL ELSE struct_pack({}) END", value, fields);
}

std::string Converted(const std::string& value, const Column& from, const Column& to, int depth) {
  if (from.mode == Mode::kRepeated && to.mode == Mode::kRepeated) {
    Column from_element = from, to_element = to;
    from_element.mode = to_element.mode = Mode::kNullable;
    const std::string item = fmt::format("item_{}", depth);
    return fmt::format("CAST(list_transform({}, lambda {}: {}) AS {})", value, item,
                       Converted(item, from_element, to_element, depth + 1), DuckDbType(to));
  }
  if (from.mode != to.mode && to.mode == Mode::kRepeated) {
    return fmt::format("CAST({} AS {})", value, DuckDbType(to));
  }
  if (from.type == Type::kRecord && to.type == Type::kRecord) return ToRecord(value, from, to, depth);
  if (to.type == Type::kBigNumeric) return ToBigNumeric(value);
  return fmt::format("CAST({} AS {})", value, DuckDbType(to));
}

// DuckDB reads decimals of more than 38 digits as doubles: they are refused rather than rounded.
absl::Status RefuseWideDecimals(Connection& connection, const std::string& path) {
  HAKOBU_ASSIGN_OR_RETURN(
      Result result,
      connection.Query(fmt::format("SELECT name, precision FROM parquet_schema({}) WHERE precision > 38",
                                   QuotedLiteral(path))));
  const std::optional<Chunk> chunk = result.Next();
  if (!chunk || chunk->rows() == 0) return absl::OkStatus();
  return absl::UnimplementedError(
      "Parquet decimals of more than 38 digits are not supported by the local BigQuery; load them as Avro");
}

class ParquetSource : public LoadSource {
 public:
  ParquetSource(std::string path, Schema schema, Warehouse* warehouse)
      : path_(std::move(path)), schema_(std::move(schema)), warehouse_(warehouse) {}
  const Schema& schema() const override { return schema_; }

  absl::Status Read(const Schema& target, BadRows*, EmitChunk emit) override {
    std::string columns;
    for (const Column& column : target) {
      const Column* found = FindColumn(schema_, column.name);
      const std::string value = found != nullptr ? Converted(Quoted(found->name), *found, column, 0)
                                                 : fmt::format("CAST(NULL AS {})", DuckDbType(column));
      columns += fmt::format("{}{} AS {}", columns.empty() ? "" : ", ", value, Quoted(column.name));
    }
    HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, warehouse_->Connect());
    const std::string sql = fmt::format("SELECT {} FROM read_parquet({})", columns, QuotedLiteral(path_));
    absl::StatusOr<Result> result = connection->Stream(sql);
    if (!result.ok()) return Annotate(result.status(), "Error while reading data, error message");
    while (const std::optional<Chunk> chunk = result->Next()) {
      if (chunk->rows() > 0) HAKOBU_RETURN_IF_ERROR(emit(*chunk));
    }
    return Annotate(result->Failure(), "Error while reading data, error message");
  }

 private:
  const std::string path_;
  const Schema schema_;
  Warehouse* const warehouse_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LoadSource>> OpenParquet(const std::string& path, const json&,
                                                        Warehouse* warehouse) {
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, warehouse->Connect());
  absl::Status refused = RefuseWideDecimals(*connection, path);
  if (!refused.ok()) return Annotate(refused, "Error while reading data, error message");
  absl::StatusOr<Result> described =
      connection->Query(fmt::format("SELECT * FROM read_parquet({}) LIMIT 0", QuotedLiteral(path)));
  if (!described.ok()) return Annotate(described.status(), "Error while reading data, error message");
  Schema schema;
  for (idx_t i = 0; i < described->columns(); ++i) {
    const LogicalType type(described->column_type(i));
    schema.push_back(ColumnOf(described->column_name(i), type.get()));
  }
  return std::make_unique<ParquetSource>(path, std::move(schema), warehouse);
}

}  // namespace hakobu::localbq::rest
