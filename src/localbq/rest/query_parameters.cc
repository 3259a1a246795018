#include "localbq/rest/query_parameters.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "localbq/rest/http.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

absl::StatusOr<Column> ReadType(const json& type, const std::string& name) {
  Column column;
  column.name = name;
  const std::string kind = Text(type, "type");
  if (kind == "ARRAY") {
    HAKOBU_ASSIGN_OR_RETURN(column, ReadType(Child(type, "arrayType"), name));
    column.mode = Mode::kRepeated;
    return column;
  }
  const std::optional<Type> parsed = ParseTypeName(kind);
  if (!parsed) return absl::InvalidArgumentError(fmt::format("Invalid parameter type: {}", kind));
  column.type = *parsed;
  if (column.type == Type::kRange) {
    const std::optional<Type> element = ParseTypeName(Text(Child(type, "rangeElementType"), "type"));
    if (!element) return absl::InvalidArgumentError("A RANGE parameter needs a rangeElementType");
    column.range_element = *element;
  }
  if (column.type != Type::kRecord) return column;
  for (const json& field : type.value("structTypes", json::array())) {
    HAKOBU_ASSIGN_OR_RETURN(Column child, ReadType(Child(field, "type"), Text(field, "name")));
    column.fields.push_back(std::move(child));
  }
  return column;
}

sql::ParameterValue ReadValue(const json& value, const Column& type, bool as_element) {
  sql::ParameterValue result;
  if (type.mode == Mode::kRepeated && !as_element) {
    const auto elements = value.find("arrayValues");
    if (elements != value.end() && elements->is_array()) {
      for (const json& element : *elements) result.elements.push_back(ReadValue(element, type, true));
    }
    return result;
  }
  if (type.type == Type::kRecord) {
    const json& fields = Child(value, "structValues");
    for (const Column& field : type.fields) {
      result.elements.push_back(ReadValue(Child(fields, field.name.c_str()), field, false));
    }
    return result;
  }
  const auto scalar = value.find("value");
  if (scalar == value.end() || scalar->is_null()) {
    result.is_null = true;
  } else {
    result.scalar = Text(value, "value");
  }
  return result;
}

}  // namespace

absl::StatusOr<std::vector<sql::Parameter>> ReadParameters(const json& query) {
  std::vector<sql::Parameter> parameters;
  const auto list = query.find("queryParameters");
  if (list == query.end() || !list->is_array()) return parameters;
  for (const json& entry : *list) {
    sql::Parameter parameter;
    parameter.name = Text(entry, "name");
    HAKOBU_ASSIGN_OR_RETURN(parameter.type, ReadType(Child(entry, "parameterType"), parameter.name));
    parameter.value = ReadValue(Child(entry, "parameterValue"), parameter.type, false);
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

}  // namespace hakobu::localbq::rest
