// APPROX_QUANTILES and APPROX_TOP_COUNT. Exact here: an answer within their bounds.
#include <fmt/format.h>

#include <charconv>

#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {
namespace {

// The second argument: how many; 0 when it is no positive literal.
int64_t LiteralCount(const std::vector<Value>& arguments) {
  if (arguments.size() != 2 || !arguments[1].literal || !IsScalar(arguments[1].type, Type::kInt64)) return 0;
  int64_t count = 0;
  const std::string& text = arguments[1].text;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

Column TopElement(Column value) {
  Column count = ScalarType(Type::kInt64);
  value.name = "value";
  count.name = "count";
  Column row = ScalarType(Type::kRecord);
  row.fields = {std::move(value), std::move(count)};
  return row;
}

// Sorted by count, the largest first; a NULL is a value like others.
std::string TopCountSql(const std::string& value, int64_t count) {
  const std::string entries = fmt::format(
      "list_transform(map_entries(histogram({})), lambda e: struct_pack(c := -CAST(e.value AS BIGINT), v := "
      "e.key))",
      value);
  const std::string nulls = fmt::format(
      "(CASE WHEN count(*) > count({0}) THEN [struct_pack(c := CAST(count({0}) - count(*) AS BIGINT), v := "
      "CASE WHEN "
      "FALSE THEN any_value({0}) END)] ELSE [] END)",
      value);
  return fmt::format(
      "list_transform(list_slice(list_sort(COALESCE({}, []) || {}), 1, {}), lambda e: struct_pack(\"value\" "
      ":= e.v, "
      "\"count\" := -e.c))",
      entries, nulls, count);
}

}  // namespace

ValueOr Translator::ApproximateAggregate(const std::string& name, const Expression& expression,
                                         const std::vector<Value>& arguments) {
  const Value& value = arguments[0];
  const size_t at = expression.at;
  if (expression.over) return Error(at, fmt::format("{} does not support an OVER clause", name));
  if (IsArray(value.type) || value.type.type == Type::kRecord || value.type.type == Type::kJson ||
      value.type.type == Type::kGeography || arguments.size() != 2) {
    return NoSignature(name, arguments, at);
  }
  const int64_t count = LiteralCount(arguments);
  if (count < 1 || count > 10000) {
    return Error(at, fmt::format("The second argument of {} must be a literal from 1 to 10000", name));
  }
  if (expression.respect_nulls || IsScalar(value.type, Type::kBigNumeric)) {
    return Error(at, fmt::format("{} of these arguments is not supported", name));
  }
  if (name == "APPROX_TOP_COUNT") {
    if (expression.distinct) return Error(at, "APPROX_TOP_COUNT with DISTINCT is not supported");
    return Of(TopCountSql(value.sql, count), ArrayOf(TopElement(value.type)));
  }
  std::string fractions;
  for (int64_t i = 0; i <= count; ++i) {
    fractions += fmt::format("{}{}", i == 0 ? "" : ", ", static_cast<double>(i) / static_cast<double>(count));
  }
  return Of(
      fmt::format("quantile_disc({}{}, [{}])", expression.distinct ? "DISTINCT " : "", value.sql, fractions),
      ArrayOf(value.type));
}

}  // namespace hakobu::localbq::sql
