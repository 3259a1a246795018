// Types and implicit conversion:
// https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/conversion_rules
#include <fmt/format.h>

#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {

Column ScalarType(Type type) {
  Column column;
  column.type = type;
  return column;
}

Value Of(std::string sql, Column type) {
  Value value;
  value.sql = std::move(sql);
  value.type = std::move(type);
  value.type.name.clear();
  if (value.type.mode == Mode::kRequired) value.type.mode = Mode::kNullable;
  return value;
}

Value Of(std::string sql, Type type) {
  return Of(std::move(sql), ScalarType(type));
}

Column ArrayOf(Column element) {
  element.name.clear();
  element.mode = Mode::kRepeated;
  return element;
}

Column ElementOf(Column array) {
  array.mode = Mode::kNullable;
  return array;
}

bool IsArray(const Column& type) {
  return type.mode == Mode::kRepeated;
}
bool IsScalar(const Column& type, Type scalar) {
  return type.type == scalar && !IsArray(type);
}
bool IsNumber(const Column& type) {
  return !IsArray(type) && (type.type == Type::kInt64 || type.type == Type::kFloat64 ||
                            type.type == Type::kNumeric || type.type == Type::kBigNumeric);
}

bool SameType(const Column& a, const Column& b) {
  if (a.type != b.type || IsArray(a) != IsArray(b) || a.fields.size() != b.fields.size()) return false;
  if (a.type == Type::kRange && a.range_element != b.range_element) return false;
  for (size_t i = 0; i < a.fields.size(); ++i) {
    if (!EqualsIgnoreCase(a.fields[i].name, b.fields[i].name) || !SameType(a.fields[i], b.fields[i]))
      return false;
  }
  return true;
}

std::string TypeText(const Column& type) {
  std::string text(SqlTypeName(type.type));
  if (type.type == Type::kRecord) {
    text = "STRUCT<";
    for (size_t i = 0; i < type.fields.size(); ++i) {
      text += (i > 0 ? ", " : "") + type.fields[i].name + " " + TypeText(type.fields[i]);
    }
    text += ">";
  } else if (type.type == Type::kRange) {
    text = fmt::format("RANGE<{}>", SqlTypeName(type.range_element));
  }
  return IsArray(type) ? "ARRAY<" + text + ">" : text;
}

namespace {

std::string Cast(std::string_view sql, std::string_view type) {
  return fmt::format("CAST({} AS {})", sql, type);
}

std::optional<std::string> WidenSql(const std::string& sql, Type from, Type to) {
  if (from == Type::kInt64 && to == Type::kNumeric) return Cast(sql, "DECIMAL(38,9)");
  if (from == Type::kInt64 && to == Type::kFloat64) return Cast(sql, "DOUBLE");
  if (from == Type::kNumeric && to == Type::kFloat64) return Cast(sql, "DOUBLE");
  if ((from == Type::kInt64 || from == Type::kNumeric) && to == Type::kBigNumeric) {
    return fmt::format("bq_bignumeric({})", Cast(sql, "VARCHAR"));
  }
  if (from == Type::kBigNumeric && to == Type::kFloat64)
    return Cast(fmt::format("bq_bignumeric_text({})", sql), "DOUBLE");
  if (from == Type::kDate && to == Type::kDateTime) return Cast(sql, "TIMESTAMP");
  return std::nullopt;
}

std::optional<Value> CoerceStruct(const Value& value, const Column& target) {
  if (value.type.fields.size() != target.fields.size()) return std::nullopt;
  Value out = value;
  out.type = target;
  std::string pack;
  for (size_t i = 0; i < target.fields.size(); ++i) {
    Value field;
    if (i < value.elements.size()) {
      field = value.elements[i];
    } else {
      field.sql = fmt::format("struct_extract({}, {})", value.sql, QuoteText(value.type.fields[i].name));
      field.type = value.type.fields[i];
    }
    std::optional<Value> converted = Coerce(field, target.fields[i]);
    if (!converted) return std::nullopt;
    if (!out.elements.empty()) out.elements[i] = *converted;
    pack += fmt::format("{}{} := {}", i > 0 ? ", " : "", QuoteName(target.fields[i].name), converted->sql);
  }
  pack = fmt::format("struct_pack({})", pack);
  out.sql =
      value.elements.empty() ? fmt::format("CASE WHEN {} IS NOT NULL THEN {} END", value.sql, pack) : pack;
  if (value.elements.empty()) out.sql = "(" + out.sql + ")";
  return out;
}

std::optional<Value> CoerceArray(const Value& value, const Column& target) {
  Value out = value;
  out.type = target;
  if (value.empty_array) {
    out.sql = fmt::format("CAST([] AS {})", DuckDbType(target));
    return out;
  }
  if (!value.elements.empty()) {
    std::string list;
    for (Value& element : out.elements) {
      std::optional<Value> converted = Coerce(element, ElementOf(target));
      if (!converted) return std::nullopt;
      element = *converted;
      list += (list.empty() ? "" : ", ") + converted->sql;
    }
    out.sql = fmt::format("[{}]", list);
    return out;
  }
  Value element;
  element.sql = "\"_e\"";
  element.type = ElementOf(value.type);
  std::optional<Value> converted = Coerce(element, ElementOf(target));
  if (!converted) return std::nullopt;
  out.sql = fmt::format("list_transform({}, lambda \"_e\": {})", value.sql, converted->sql);
  return out;
}

}  // namespace

std::optional<Value> Coerce(const Value& value, const Column& target) {
  if (value.null_literal) return NullValue(target);
  if (IsArray(value.type) != IsArray(target)) return std::nullopt;
  if (SameType(value.type, target) && !value.empty_array) {
    Value out = value;
    out.type = target;
    return out;
  }
  if (IsArray(target)) return CoerceArray(value, target);
  if (value.type.type == Type::kRecord && target.type == Type::kRecord) return CoerceStruct(value, target);
  Type from = value.type.type, to = target.type;
  if (value.literal && from == Type::kString &&
      (to == Type::kDate || to == Type::kDateTime || to == Type::kTime || to == Type::kTimestamp)) {
    return TypedLiteral(target, value.text);
  }
  if (value.literal && (from == Type::kFloat64 || from == Type::kInt64) &&
      (to == Type::kNumeric || to == Type::kBigNumeric) && !value.text.empty()) {
    return TypedLiteral(target, value.text);
  }
  if (value.literal && value.parameter && from == Type::kString && to == Type::kBytes) return std::nullopt;
  std::optional<std::string> sql = WidenSql(value.sql, from, to);
  if (!sql) return std::nullopt;
  Value out;
  out.sql = *sql;
  out.type = target;
  return out;
}

std::optional<Column> Supertype(const std::vector<Value>& values) {
  // Candidates are the values' own types; non-literals go first, so that literals bend to them.
  std::vector<Column> candidates;
  for (bool literals : {false, true}) {
    for (const Value& value : values) {
      if (!value.null_literal && !value.empty_array && value.literal == literals)
        candidates.push_back(value.type);
    }
  }
  if (candidates.empty())
    return values.empty() || values[0].null_literal ? ScalarType(Type::kInt64) : values[0].type;
  if (candidates.size() > 1 && candidates[0].type == Type::kInt64)
    candidates.push_back(ScalarType(Type::kNumeric));
  for (Column& candidate : candidates) {
    candidate.mode = IsArray(candidate) ? Mode::kRepeated : Mode::kNullable;
    bool all = true;
    for (const Value& value : values) {
      all = all && Coerce(value, candidate).has_value();
    }
    if (all) return candidate;
  }
  return std::nullopt;
}

}  // namespace hakobu::localbq::sql
