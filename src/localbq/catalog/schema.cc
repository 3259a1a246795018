#include "localbq/catalog/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "localbq/catalog/json_field.h"
#include "localbq/catalog/names.h"

namespace hakobu::localbq {
namespace {

using nlohmann::json;

struct TypeRow {
  Type type;
  std::string_view rest, sql, duckdb;
};
constexpr std::array kTypes = {
    TypeRow{Type::kInt64, "INTEGER", "INT64", "BIGINT"},
    TypeRow{Type::kFloat64, "FLOAT", "FLOAT64", "DOUBLE"},
    TypeRow{Type::kBool, "BOOLEAN", "BOOL", "BOOLEAN"},
    TypeRow{Type::kString, "STRING", "STRING", "VARCHAR"},
    TypeRow{Type::kBytes, "BYTES", "BYTES", "BLOB"},
    TypeRow{Type::kNumeric, "NUMERIC", "NUMERIC", "DECIMAL(38,9)"},
    TypeRow{Type::kBigNumeric, "BIGNUMERIC", "BIGNUMERIC", "BIGNUM"},
    TypeRow{Type::kDate, "DATE", "DATE", "DATE"},
    TypeRow{Type::kDateTime, "DATETIME", "DATETIME", "TIMESTAMP"},
    TypeRow{Type::kTime, "TIME", "TIME", "TIME"},
    TypeRow{Type::kTimestamp, "TIMESTAMP", "TIMESTAMP", "TIMESTAMPTZ"},
    TypeRow{Type::kJson, "JSON", "JSON", "JSON"},
    TypeRow{Type::kGeography, "GEOGRAPHY", "GEOGRAPHY", "VARCHAR"},
    TypeRow{Type::kInterval, "INTERVAL", "INTERVAL", "INTERVAL"},
    TypeRow{Type::kRange, "RANGE", "RANGE", ""},
    TypeRow{Type::kRecord, "RECORD", "STRUCT", ""},
};

struct Alias {
  std::string_view name;
  Type type;
};
constexpr std::array kAliases = {
    Alias{"INT", Type::kInt64},     Alias{"SMALLINT", Type::kInt64},        Alias{"BIGINT", Type::kInt64},
    Alias{"TINYINT", Type::kInt64}, Alias{"BYTEINT", Type::kInt64},         Alias{"DECIMAL", Type::kNumeric},
    Alias{"BOOLEAN", Type::kBool},  Alias{"BIGDECIMAL", Type::kBigNumeric},
};

const TypeRow& RowOf(Type type) {
  return kTypes[static_cast<size_t>(type)];
}

absl::Status Invalid(const std::string& message) {
  return absl::InvalidArgumentError(message);
}

absl::Status ReadMode(const json& field, Column* column) {
  const std::string mode = absl::AsciiStrToUpper(TextField(field, "mode"));
  if (mode.empty() || mode == "NULLABLE") {
    column->mode = Mode::kNullable;
  } else if (mode == "REQUIRED") {
    column->mode = Mode::kRequired;
  } else if (mode == "REPEATED") {
    column->mode = Mode::kRepeated;
  } else {
    return Invalid(fmt::format("Invalid value for mode: {} is not a valid value", mode));
  }
  return absl::OkStatus();
}

absl::StatusOr<Column> ColumnFromJson(const json& field) {
  if (!field.is_object()) return Invalid("Invalid schema: a field is not an object");
  Column column;
  column.name = TextField(field, "name");
  HAKOBU_RETURN_IF_ERROR(CheckColumnName(column.name));
  const std::string type_name = TextField(field, "type");
  if (type_name.empty()) return Invalid(fmt::format("Field {} is missing type", column.name));
  const std::optional<Type> type = ParseTypeName(type_name);
  if (!type) return Invalid(fmt::format("Invalid value for type: {} is not a valid value", type_name));
  column.type = *type;
  HAKOBU_RETURN_IF_ERROR(ReadMode(field, &column));
  column.description = TextField(field, "description");
  column.max_length = IntegerField(field, "maxLength");
  column.precision = static_cast<int32_t>(IntegerField(field, "precision"));
  column.scale = static_cast<int32_t>(IntegerField(field, "scale"));
  column.default_expression = TextField(field, "defaultValueExpression");
  column.collation = TextField(field, "collation");
  column.rounding_mode = TextField(field, "roundingMode");
  if (const auto tags = field.find("policyTags"); tags != field.end() && tags->is_object()) {
    column.policy_tags = tags->value("names", std::vector<std::string>());
  }
  if (column.type == Type::kRange) {
    const auto element = field.find("rangeElementType");
    const std::optional<Type> parsed =
        element == field.end() ? std::nullopt : ParseTypeName(TextField(*element, "type"));
    if (!parsed || (*parsed != Type::kDate && *parsed != Type::kDateTime && *parsed != Type::kTimestamp)) {
      return Invalid(fmt::format("Field {} is of type RANGE but has no valid rangeElementType", column.name));
    }
    column.range_element = *parsed;
  }
  if (column.type == Type::kRecord) {
    const auto fields = field.find("fields");
    if (fields == field.end() || !fields->is_array() || fields->empty()) {
      return Invalid(fmt::format("Field {} is type RECORD but has no schema", column.name));
    }
    HAKOBU_ASSIGN_OR_RETURN(column.fields, SchemaFromJson(*fields));
  }
  return column;
}

json ColumnToJson(const Column& column) {
  static constexpr std::array kModes = {"NULLABLE", "REQUIRED", "REPEATED"};
  json field = {{"name", column.name},
                {"type", RestTypeName(column.type)},
                {"mode", kModes[static_cast<size_t>(column.mode)]}};
  if (!column.fields.empty()) field["fields"] = SchemaToJson(column.fields)["fields"];
  if (!column.description.empty()) field["description"] = column.description;
  if (!column.policy_tags.empty()) field["policyTags"] = {{"names", column.policy_tags}};
  if (column.max_length != 0) field["maxLength"] = std::to_string(column.max_length);
  if (column.precision != 0) field["precision"] = std::to_string(column.precision);
  if (column.scale != 0) field["scale"] = std::to_string(column.scale);
  if (!column.default_expression.empty()) field["defaultValueExpression"] = column.default_expression;
  if (!column.collation.empty()) field["collation"] = column.collation;
  if (!column.rounding_mode.empty()) field["roundingMode"] = column.rounding_mode;
  if (column.type == Type::kRange) field["rangeElementType"] = {{"type", SqlTypeName(column.range_element)}};
  return field;
}

}  // namespace

Column RangeBound(const Column& range, std::string_view name) {
  Column bound;
  bound.name = name;
  bound.type = range.range_element;
  return bound;
}

std::string_view RestTypeName(Type type) {
  return RowOf(type).rest;
}
std::string_view SqlTypeName(Type type) {
  return RowOf(type).sql;
}

std::optional<Type> ParseTypeName(std::string_view name) {
  const std::string upper = absl::AsciiStrToUpper(View(name));
  for (const TypeRow& row : kTypes) {
    if (upper == row.rest || upper == row.sql) return row.type;
  }
  for (const Alias& alias : kAliases) {
    if (upper == alias.name) return alias.type;
  }
  return std::nullopt;
}

std::string SqlTypeText(const Column& column) {
  std::string text(SqlTypeName(column.type));
  if (column.type == Type::kRecord) {
    std::string fields;
    for (const Column& field : column.fields) {
      fields += fmt::format("{}{} {}", fields.empty() ? "" : ", ", field.name, SqlTypeText(field));
    }
    text = fmt::format("STRUCT<{}>", fields);
  } else if (column.type == Type::kRange) {
    text = fmt::format("RANGE<{}>", SqlTypeName(column.range_element));
  } else if (column.max_length != 0) {
    text += fmt::format("({})", column.max_length);
  } else if (column.precision != 0) {
    text += column.scale != 0 ? fmt::format("({}, {})", column.precision, column.scale)
                              : fmt::format("({})", column.precision);
  }
  return column.mode == Mode::kRepeated ? fmt::format("ARRAY<{}>", text) : text;
}

std::string DuckDbElementType(const Column& column) {
  if (column.type == Type::kRange) {
    const std::string_view element = RowOf(column.range_element).duckdb;
    return fmt::format(R"(STRUCT("start" {0}, "end" {0}))", element);
  }
  if (column.type != Type::kRecord) return std::string(RowOf(column.type).duckdb);
  std::string fields;
  for (const Column& field : column.fields) {
    fields += fmt::format("{}{} {}", fields.empty() ? "" : ", ", Quoted(field.name), DuckDbType(field));
  }
  return fmt::format("STRUCT({})", fields);
}

std::string DuckDbType(const Column& column) {
  return DuckDbElementType(column) + (column.mode == Mode::kRepeated ? "[]" : "");
}

absl::StatusOr<Schema> SchemaFromJson(const json& schema) {
  const json* fields = &schema;
  if (schema.is_object()) {
    const auto found = schema.find("fields");
    if (found == schema.end() || found->is_null()) return Schema();
    fields = &*found;
  }
  if (!fields->is_array()) return Invalid("Invalid schema: fields is not a list");
  Schema columns;
  columns.reserve(fields->size());
  for (const json& field : *fields) {
    HAKOBU_ASSIGN_OR_RETURN(Column column, ColumnFromJson(field));
    if (FindColumn(columns, column.name) != nullptr) {
      return Invalid(fmt::format("Field {} already exists in schema", column.name));
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

json SchemaToJson(const Schema& schema) {
  json fields = json::array();
  for (const Column& column : schema) fields.push_back(ColumnToJson(column));
  return {{"fields", std::move(fields)}};
}

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

absl::Status CheckColumnNames(const Schema& schema) {
  for (const Column& column : schema) {
    HAKOBU_RETURN_IF_ERROR(CheckColumnName(column.name));
    HAKOBU_RETURN_IF_ERROR(CheckColumnNames(column.fields));
  }
  return absl::OkStatus();
}

const Column* FindColumn(const Schema& schema, std::string_view name) {
  for (const Column& column : schema) {
    if (SameName(column.name, name)) return &column;
  }
  return nullptr;
}

}  // namespace hakobu::localbq
