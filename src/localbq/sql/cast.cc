// CAST and SAFE_CAST: https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/conversion_functions
#include <fmt/format.h>

#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {
namespace {

struct Conversion {
  Type from, to;
  std::string_view sql;  // $ is the value
};

constexpr Conversion kConversions[] = {
    {Type::kInt64, Type::kString, "CAST($ AS VARCHAR)"},
    {Type::kFloat64, Type::kString, "bq_double_text($)"},
    {Type::kBool, Type::kString, "CAST($ AS VARCHAR)"},
    {Type::kBytes, Type::kString, "decode($)"},
    {Type::kNumeric, Type::kString, "rtrim(rtrim(CAST($ AS VARCHAR), '0'), '.')"},
    {Type::kBigNumeric, Type::kString, "bq_bignumeric_text($)"},
    {Type::kDate, Type::kString, "CAST($ AS VARCHAR)"},
    {Type::kDateTime, Type::kString, "bq_datetime_text($)"},
    {Type::kTime, Type::kString, "bq_time_text($)"},
    {Type::kTimestamp, Type::kString, "(bq_datetime_text($ AT TIME ZONE 'UTC') || '+00')"},
    {Type::kInterval, Type::kString, "bq_interval_text($)"},
    {Type::kFloat64, Type::kInt64, "CAST(round($) AS BIGINT)"},
    {Type::kNumeric, Type::kInt64, "CAST(round($, 0) AS BIGINT)"},
    {Type::kBigNumeric, Type::kInt64, "bq_int64(bq_decimal_text(bq_bignumeric_text($), 0))"},
    {Type::kBool, Type::kInt64, "CAST($ AS BIGINT)"},
    {Type::kString, Type::kInt64, "bq_int64($)"},
    {Type::kString, Type::kFloat64, "bq_double($)"},
    {Type::kInt64, Type::kBool, "($ <> 0)"},
    {Type::kString, Type::kBool, "bq_bool($)"},
    {Type::kString, Type::kBytes, "encode($)"},
    {Type::kFloat64, Type::kNumeric, "CAST(bq_decimal_text(format('{:.12f}', $), 9) AS DECIMAL(38,9))"},
    {Type::kFloat64, Type::kBigNumeric, "bq_bignumeric(format('{:.40f}', $))"},
    {Type::kString, Type::kNumeric, "CAST(bq_decimal_text($, 9) AS DECIMAL(38,9))"},
    {Type::kBigNumeric, Type::kNumeric, "CAST(bq_decimal_text(bq_bignumeric_text($), 9) AS DECIMAL(38,9))"},
    {Type::kString, Type::kBigNumeric, "bq_bignumeric($)"},
    {Type::kString, Type::kDate, "bq_date($)"},
    {Type::kDateTime, Type::kDate, "CAST($ AS DATE)"},
    {Type::kTimestamp, Type::kDate, "CAST($ AT TIME ZONE 'UTC' AS DATE)"},
    {Type::kString, Type::kDateTime, "bq_datetime($)"},
    {Type::kTimestamp, Type::kDateTime, "($ AT TIME ZONE 'UTC')"},
    {Type::kString, Type::kTime, "bq_time($)"},
    {Type::kDateTime, Type::kTime, "CAST($ AS TIME)"},
    {Type::kTimestamp, Type::kTime, "CAST($ AT TIME ZONE 'UTC' AS TIME)"},
    {Type::kString, Type::kTimestamp, "bq_timestamp($, 'UTC')"},
    {Type::kDate, Type::kTimestamp, "(CAST($ AS TIMESTAMP) AT TIME ZONE 'UTC')"},
    {Type::kDateTime, Type::kTimestamp, "($ AT TIME ZONE 'UTC')"},
    {Type::kString, Type::kInterval, "bq_interval($)"},
};

std::string Fill(std::string_view pattern, std::string_view value) {
  std::string out;
  for (char c : pattern) {
    if (c == '$') {
      out += value;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

ValueOr Translator::CastTo(const Value& given, const Column& target, bool safe, size_t at) {
  Value out;
  out.type = target;
  Value value = given;
  if (value.null_literal || value.empty_array) {
    std::optional<Value> coerced = Coerce(value, target);
    if (!coerced)
      return Error(at, fmt::format("Invalid cast from {} to {}", TypeText(value.type), TypeText(target)));
    return *coerced;
  }
  bool same = SameType(value.type, target);
  if (IsArray(value.type) != IsArray(target) ||
      (!same && (value.type.type == Type::kRecord) != (target.type == Type::kRecord))) {
    return Error(at, fmt::format("Invalid cast from {} to {}", TypeText(value.type), TypeText(target)));
  }
  if (same) {
    out.sql = value.sql;
  } else if (IsArray(target)) {
    Value element;
    element.sql = "\"_e\"";
    element.type = ElementOf(value.type);
    HAKOBU_ASSIGN_OR_RETURN(Value converted, CastTo(element, ElementOf(target), false, at));
    out.sql = fmt::format("list_transform({}, lambda \"_e\": {})", value.sql, converted.sql);
  } else if (target.type == Type::kRecord) {
    if (value.type.fields.size() != target.fields.size()) {
      return Error(at, fmt::format("Invalid cast from {} to {}", TypeText(value.type), TypeText(target)));
    }
    std::string pack;
    for (size_t i = 0; i < target.fields.size(); ++i) {
      Value field;
      field.sql = fmt::format("struct_extract({}, {})", value.sql, QuoteText(value.type.fields[i].name));
      field.type = value.type.fields[i];
      HAKOBU_ASSIGN_OR_RETURN(Value converted, CastTo(field, target.fields[i], false, at));
      pack += fmt::format("{}{} := {}", i > 0 ? ", " : "", QuoteName(target.fields[i].name), converted.sql);
    }
    out.sql = fmt::format("(CASE WHEN {} IS NOT NULL THEN struct_pack({}) END)", value.sql, pack);
  } else {
    for (const Conversion& conversion : kConversions) {
      if (conversion.from == value.type.type && conversion.to == target.type)
        out.sql = Fill(conversion.sql, value.sql);
    }
    if (out.sql.empty()) {
      Value bare;
      bare.sql = value.sql;
      bare.type = value.type;
      std::optional<Value> coerced = Coerce(bare, target);
      if (!coerced)
        return Error(at, fmt::format("Invalid cast from {} to {}", TypeText(value.type), TypeText(target)));
      out.sql = coerced->sql;
    }
  }
  if (target.type == Type::kNumeric && target.precision > 0 && !IsArray(target)) {
    out.sql = fmt::format("CAST(CAST({} AS DECIMAL({},{})) AS DECIMAL(38,9))", out.sql, target.precision,
                          target.scale);
  } else if (target.precision > 0 || target.max_length > 0) {
    return Error(at, fmt::format("CAST to parameterized {} is not supported", SqlTypeName(target.type)));
  }
  if (safe) out.sql = fmt::format("TRY({})", out.sql);
  out.type.precision = out.type.scale = 0;
  return out;
}

}  // namespace hakobu::localbq::sql
