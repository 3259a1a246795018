// A BigQuery table's columns as the local BigQuery keeps them: REST's TableFieldSchema, typed.
// Source: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace hakobu::localbq {

enum class Type : uint8_t {
  kInt64,
  kFloat64,
  kBool,
  kString,
  kBytes,
  kNumeric,
  kBigNumeric,
  kDate,
  kDateTime,
  kTime,
  kTimestamp,
  kJson,
  kGeography,
  kInterval,
  kRange,
  kRecord,
};
enum class Mode : uint8_t { kNullable, kRequired, kRepeated };

struct Column {
  std::string name;
  Type type = Type::kString;
  Mode mode = Mode::kNullable;
  std::vector<Column> fields;  // of a RECORD
  std::string description;
  std::vector<std::string> policy_tags;
  int64_t max_length = 0;            // STRING, BYTES; 0: none
  int32_t precision = 0, scale = 0;  // NUMERIC, BIGNUMERIC parameters; 0: none
  std::string default_expression;    // GoogleSQL
  std::string collation;
  std::string rounding_mode;
  Type range_element = Type::kDate;  // of a RANGE

  bool operator==(const Column&) const = default;
};

using Schema = std::vector<Column>;

// "start" or "end" of a RANGE, as a column of its own.
Column RangeBound(const Column& range, std::string_view name);

// "INTEGER" as REST answers (legacy names: INTEGER, FLOAT, BOOLEAN, RECORD), "INT64" as SQL and DDL write.
std::string_view RestTypeName(Type type);
std::string_view SqlTypeName(Type type);
// Any spelling REST or SQL takes, any case: "INTEGER", "INT64", "bigint", "DECIMAL", "STRUCT" …
std::optional<Type> ParseTypeName(std::string_view name);

// "NUMERIC(10, 2)", "ARRAY<STRUCT<a INT64>>": as INFORMATION_SCHEMA.COLUMNS.data_type writes it.
std::string SqlTypeText(const Column& column);

// The DuckDB type a column is stored as: INT64 BIGINT, FLOAT64 DOUBLE, BOOL BOOLEAN, STRING VARCHAR, BYTES
// BLOB, NUMERIC DECIMAL(38,9), BIGNUMERIC BIGNUM (the value times 10^38, so that it compares and sorts as a
// number and keeps 76 digits), DATE DATE, DATETIME TIMESTAMP, TIME TIME, TIMESTAMP TIMESTAMPTZ, JSON JSON,
// GEOGRAPHY VARCHAR, INTERVAL INTERVAL, RANGE STRUCT("start" T, "end" T), RECORD STRUCT(…), REPEATED T[].
std::string DuckDbType(const Column& column);
// The same without the REPEATED: what one element is stored as.
std::string DuckDbElementType(const Column& column);

// REST's {"fields":[…]}. SchemaFromJson takes the object or the bare array, and answers InvalidArgument with
// Google's words for an unknown type, a missing name, a repeated name or a RECORD without fields.
absl::StatusOr<Schema> SchemaFromJson(const nlohmann::json& schema);
nlohmann::json SchemaToJson(const Schema& schema);

// nullptr when there is none. Column names do not regard case.
const Column* FindColumn(const Schema& schema, std::string_view name);
bool SameName(std::string_view a, std::string_view b);
// InvalidArgument for a name that BigQuery keeps to itself or does not take, nested ones included.
absl::Status CheckColumnNames(const Schema& schema);

}  // namespace hakobu::localbq
