// A BigQuery table's columns as the local BigQuery keeps them: REST's TableFieldSchema, typed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hakobu::localbq {

enum class Type : uint8_t {
  kInt64, kFloat64, kBool, kString, kBytes, kNumeric, kBigNumeric,
  kDate, kDateTime, kTime, kTimestamp, kJson, kGeography, kInterval, kRange, kRecord,
};
enum class Mode : uint8_t { kNullable, kRequired, kRepeated };

struct Column {
  std::string name;
  Type type = Type::kString;
  Mode mode = Mode::kNullable;
  std::vector<Column> fields;         // of a RECORD
  std::string description;
  std::vector<std::string> policy_tags;
  int64_t max_length = 0;             // STRING, BYTES; 0: none
  int32_t precision = 0, scale = 0;   // NUMERIC, BIGNUMERIC parameters; 0: none
  std::string default_expression;     // GoogleSQL
  std::string collation;
  std::string rounding_mode;
  Type range_element = Type::kDate;   // of a RANGE
};

using Schema = std::vector<Column>;

// "INTEGER" as REST answers (legacy names: INTEGER, FLOAT, BOOLEAN, RECORD), "INT64" as SQL and DDL write.
std::string_view RestTypeName(Type type);
std::string_view SqlTypeName(Type type);

// The DuckDB type a column is stored as: INT64 BIGINT, FLOAT64 DOUBLE, BOOL BOOLEAN, STRING VARCHAR, BYTES BLOB,
// NUMERIC DECIMAL(38,9), BIGNUMERIC BIGNUM (the value times 10^38, so that it compares and sorts as a number and
// keeps 76 digits), DATE DATE, DATETIME TIMESTAMP, TIME TIME, TIMESTAMP TIMESTAMPTZ, JSON JSON, GEOGRAPHY VARCHAR,
// INTERVAL INTERVAL, RANGE STRUCT("start" T, "end" T), RECORD STRUCT(…), REPEATED T[].
std::string DuckDbType(const Column& column);

}  // namespace hakobu::localbq
