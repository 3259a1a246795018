// STRUCT, ARRAY, INTERVAL, subqueries and parameters.
#include <fmt/format.h>

#include <charconv>

#include "localbq/sql/interval.h"
#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {

ValueOr Translator::StructValue(const Expression& expression, const Scope& scope) {
  Value out;
  out.type.type = Type::kRecord;
  std::string pack;
  std::set<std::string> names;
  if (expression.has_type && expression.type.fields.size() != expression.arguments.size()) {
    return Error(expression.at, fmt::format("STRUCT type has {} fields but constructor call has {} fields",
                                            expression.type.fields.size(), expression.arguments.size()));
  }
  if (expression.arguments.empty()) return Error(expression.at, "STRUCT without fields is not supported");
  for (size_t i = 0; i < expression.arguments.size(); ++i) {
    const Expression& argument = *expression.arguments[i];
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(argument, scope));
    std::string name = expression.aliases[i];
    if (expression.has_type) {
      const Column& field = expression.type.fields[i];
      std::optional<Value> coerced = Coerce(value, field);
      if (!coerced) {
        return Error(argument.at, fmt::format("Struct field {} has type {} which does not coerce to {}",
                                              i + 1, TypeText(value.type), TypeText(field)));
      }
      value = *coerced;
      name = field.name;
    } else if (name.empty() && argument.kind == ExpressionKind::kPath) {
      name = argument.names.back();
    } else if (name.empty() && argument.kind == ExpressionKind::kField) {
      name = argument.text;
    }
    if (name.empty()) name = fmt::format("_field_{}", i + 1);
    if (!names.insert(Lower(name)).second) {
      return Error(argument.at, fmt::format("Duplicate field name {} in STRUCT is not supported", name));
    }
    Column field = value.type;
    field.name = name;
    if (field.mode == Mode::kRequired) field.mode = Mode::kNullable;
    out.type.fields.push_back(field);
    pack += fmt::format("{}{} := {}", i > 0 ? ", " : "", QuoteName(name), value.sql);
    out.elements.push_back(std::move(value));
  }
  out.sql = fmt::format("struct_pack({})", pack);
  return out;
}

ValueOr Translator::ArrayValue(const Expression& expression, const Scope& scope) {
  Value out;
  for (const ExpressionPtr& argument : expression.arguments) {
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*argument, scope));
    if (IsArray(value.type) && !value.null_literal) {
      return Error(argument->at,
                   fmt::format("Cannot construct array with element type {} because nested arrays are not "
                               "supported",
                               TypeText(value.type)));
    }
    out.elements.push_back(std::move(value));
  }
  std::optional<Column> type = Supertype(out.elements);
  if (expression.has_type) type = ElementOf(expression.type);
  if (!type) return Error(expression.at, "Array elements of different types");
  out.type = ArrayOf(*type);
  if (out.elements.empty()) {
    out.sql = fmt::format("CAST([] AS {})", DuckDbType(out.type));
    out.empty_array = !expression.has_type;
    return out;
  }
  std::string list;
  for (Value& element : out.elements) {
    std::optional<Value> coerced = Coerce(element, *type);
    if (!coerced) {
      return Error(expression.at, fmt::format("Array element type {} does not coerce to {}",
                                              TypeText(element.type), TypeText(*type)));
    }
    list += (list.empty() ? "" : ", ") + coerced->sql;
  }
  out.sql = "[" + list + "]";
  return out;
}

ValueOr Translator::SubqueryValue(const Expression& expression, const Scope& scope) {
  HAKOBU_ASSIGN_OR_RETURN(QueryResult query, TranslateQuery(*expression.query, &scope));
  if (expression.kind == ExpressionKind::kExists)
    return Of(fmt::format("EXISTS ({})", query.sql), Type::kBool);
  if (query.columns.size() != 1) {
    return Error(expression.at,
                 expression.kind == ExpressionKind::kArrayQuery
                     ? "ARRAY subquery cannot have more than one column unless using SELECT AS STRUCT to "
                       "build STRUCT values"
                     : "Scalar subquery cannot have more than one column unless using SELECT AS STRUCT to "
                       "build STRUCT values");
  }
  Column type = query.columns[0];
  type.name.clear();
  if (expression.kind == ExpressionKind::kScalarQuery) return Of(fmt::format("({})", query.sql), type);
  if (IsArray(type)) {
    return Error(expression.at, "Cannot use array subquery with column of type " + TypeText(type) +
                                    " because nested arrays are not supported");
  }
  return Of(fmt::format("ARRAY({})", query.sql), ArrayOf(type));
}

ValueOr Translator::IntervalValue(const Expression& expression, const Scope& scope) {
  const Expression& count = *expression.arguments[0];
  if (!expression.text2.empty()) {
    std::optional<IntervalParts> parts;
    if (count.kind == ExpressionKind::kString)
      parts = ParseIntervalRange(count.text, expression.text, expression.text2);
    if (!parts) return Error(expression.at, "Invalid INTERVAL literal");
    Value out = Of(IntervalSql(*parts), Type::kInterval);
    out.text = IntervalText(*parts);
    return out;
  }
  if (!IntervalOf(1, expression.text)) return Error(expression.at, "Invalid date part: " + expression.text);
  HAKOBU_ASSIGN_OR_RETURN(Value value, ExprAs(count, scope, ScalarType(Type::kInt64), "INTERVAL value"));
  IntervalParts unit = *IntervalOf(1, expression.text);
  if (value.literal) {
    int64_t number = 0;
    std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
    Value out = Of(IntervalSql(*IntervalOf(number, expression.text)), Type::kInterval);
    out.text = IntervalText(*IntervalOf(number, expression.text));
    return out;
  }
  return Of(fmt::format("({} * ({})::BIGINT)", IntervalSql(unit), value.sql), Type::kInterval);
}

ValueOr Translator::ParameterOf(const Expression& expression) {
  const Parameter* found = nullptr;
  if (expression.position > 0) {
    int seen = 0;
    for (const Parameter& parameter : context_.parameters) {
      if (parameter.name.empty() && ++seen == expression.position) found = &parameter;
    }
    if (found == nullptr) return Error(expression.at, "Query parameter number is out of range");
  } else {
    for (const Parameter& parameter : context_.parameters) {
      if (EqualsIgnoreCase(parameter.name, expression.text)) found = &parameter;
    }
    if (found == nullptr)
      return Error(expression.at, fmt::format("Query parameter '{}' not found", expression.text));
  }
  absl::StatusOr<Value> value = ParameterLiteral(found->type, found->value);
  if (!value.ok()) return value;
  value->parameter = true;
  return value;
}

absl::StatusOr<Value> Translator::ParameterLiteral(const Column& type, const ParameterValue& given) {
  if (IsArray(type)) {
    Value out;
    out.type = type;
    std::string list;
    for (const ParameterValue& element : given.elements) {
      HAKOBU_ASSIGN_OR_RETURN(Value value, ParameterLiteral(ElementOf(type), element));
      list += (list.empty() ? "" : ", ") + value.sql;
    }
    out.sql = fmt::format("CAST([{}] AS {})", list, DuckDbType(type));
    return out;
  }
  if (given.is_null) return NullValue(type);
  if (type.type == Type::kRecord) {
    Value out;
    out.type = type;
    std::string pack;
    for (size_t i = 0; i < type.fields.size(); ++i) {
      ParameterValue missing;
      missing.is_null = true;
      HAKOBU_ASSIGN_OR_RETURN(
          Value value,
          ParameterLiteral(type.fields[i], i < given.elements.size() ? given.elements[i] : missing));
      pack += fmt::format("{}{} := {}", i > 0 ? ", " : "", QuoteName(type.fields[i].name), value.sql);
    }
    out.sql = fmt::format("struct_pack({})", pack);
    return out;
  }
  if (type.type == Type::kBytes) {
    Value out = NullValue(type);
    out.sql = fmt::format("from_base64({})", QuoteText(given.scalar));
    return out;
  }
  std::optional<Value> value = TypedLiteral(type, given.scalar);
  if (!value) {
    return absl::InvalidArgumentError(fmt::format("Invalid value for type: {} is not a valid value of {}",
                                                  given.scalar, SqlTypeName(type.type)));
  }
  return *value;
}

}  // namespace hakobu::localbq::sql
