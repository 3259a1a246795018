// Names, fields, operators and constructors.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "localbq/sql/civil.h"
#include "localbq/sql/interval.h"
#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {
namespace {

Value Of(std::string sql, Type type) {
  Value value;
  value.sql = std::move(sql);
  value.type = ScalarType(type);
  return value;
}

Value Of(std::string sql, Column type) {
  Value value;
  value.sql = std::move(sql);
  value.type = std::move(type);
  value.type.name.clear();
  if (value.type.mode == Mode::kRequired) value.type.mode = Mode::kNullable;
  return value;
}

}  // namespace

ValueOr Translator::Expr(const Expression& expression, const Scope& scope) {
  return ExprInner(expression, scope);
}

ValueOr Translator::ExprAs(const Expression& expression, const Scope& scope, const Column& target,
                           std::string_view what) {
  HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(expression, scope));
  std::optional<Value> coerced = Coerce(value, target);
  if (!coerced) {
    return Error(expression.at, fmt::format("{} should return type {}, but returns {}", what,
                                            TypeText(target), TypeText(value.type)));
  }
  return *coerced;
}

ValueOr Translator::ExprInner(const Expression& expression, const Scope& scope) {
  auto literal = [&](Type type) -> ValueOr {
    std::optional<Value> value = TypedLiteral(ScalarType(type), expression.text);
    if (!value) {
      return Error(expression.at, fmt::format("Invalid {} literal: {}", SqlTypeName(type), expression.text));
    }
    return *value;
  };
  switch (expression.kind) {
    case ExpressionKind::kInteger: {
      if (std::optional<Value> value = TypedLiteral(ScalarType(Type::kInt64), expression.text)) return *value;
      return Error(expression.at, "Invalid integer literal: " + expression.text);
    }
    case ExpressionKind::kFloat:
      return literal(Type::kFloat64);
    case ExpressionKind::kString:
      return TextValue(expression.text);
    case ExpressionKind::kBytes:
      return literal(Type::kBytes);
    case ExpressionKind::kBool:
      return literal(Type::kBool);
    case ExpressionKind::kNull: {
      Value value = NullValue(ScalarType(Type::kInt64));
      value.null_literal = value.literal = true;
      return value;
    }
    case ExpressionKind::kTyped: {
      std::optional<Value> value = TypedLiteral(expression.type, expression.text);
      if (!value) {
        return Error(expression.at, fmt::format("Invalid {} literal", SqlTypeName(expression.type.type)));
      }
      value->literal = false;
      return *value;
    }
    case ExpressionKind::kInterval:
      return IntervalValue(expression, scope);
    case ExpressionKind::kParameter:
      return ParameterOf(expression);
    case ExpressionKind::kPath:
      return PathValue(expression, scope);
    case ExpressionKind::kField: {
      HAKOBU_ASSIGN_OR_RETURN(Value base, Expr(*expression.arguments[0], scope));
      return FieldOf(std::move(base), expression.text, expression.at);
    }
    case ExpressionKind::kIndex:
      return IndexOf(expression, scope);
    case ExpressionKind::kUnary:
      return UnaryOperator(expression, scope);
    case ExpressionKind::kBinary:
    case ExpressionKind::kBetween:
    case ExpressionKind::kLike:
    case ExpressionKind::kIsNull:
    case ExpressionKind::kIsTrue:
    case ExpressionKind::kIsFalse:
    case ExpressionKind::kIsDistinct:
      return Operator(expression, scope);
    case ExpressionKind::kIn:
    case ExpressionKind::kInUnnest:
    case ExpressionKind::kInQuery:
      return In(expression, scope);
    case ExpressionKind::kCase:
      return Case(expression, scope);
    case ExpressionKind::kCast: {
      HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*expression.arguments[0], scope));
      return CastTo(value, expression.type, expression.safe, expression.at);
    }
    case ExpressionKind::kCall:
      return Call(expression, scope);
    case ExpressionKind::kStruct:
      return StructValue(expression, scope);
    case ExpressionKind::kArray:
      return ArrayValue(expression, scope);
    case ExpressionKind::kArrayQuery:
    case ExpressionKind::kScalarQuery:
    case ExpressionKind::kExists:
      return SubqueryValue(expression, scope);
    case ExpressionKind::kExtract:
      return Extract(expression, scope);
    case ExpressionKind::kStar:
      break;
  }
  return Error(expression.at, "Syntax error: Unexpected \"*\"");
}

void Translator::Use(const ScopeColumn& column) {
  if (column.table_use >= 0) uses_[static_cast<size_t>(column.table_use)].used.insert(Lower(column.name));
}

std::string Translator::RowStruct(const RangeVariable& range, Column& type) {
  type = Column();
  type.type = Type::kRecord;
  std::string pack;
  for (const ScopeColumn& column : range.columns) {
    Use(column);
    Column field = column.type;
    field.name = column.name;
    type.fields.push_back(field);
    pack += fmt::format("{}{} := {}", pack.empty() ? "" : ", ", QuoteName(column.name), column.sql);
  }
  return fmt::format("struct_pack({})", pack);
}

std::optional<Value> Translator::LookUpRange(const Scope& scope, const std::string& name) {
  for (const RangeVariable& range : scope.ranges) {
    if (!EqualsIgnoreCase(range.name, name)) continue;
    if (range.value) return *range.value;
    Column type;
    std::string sql = RowStruct(range, type);
    return Of(sql, type);
  }
  return std::nullopt;
}

// A name by itself: a select alias, a column, a range variable; then the same outside.
std::optional<Value> Translator::LookUp(const std::string& name, const Scope& scope, absl::Status& error,
                                        size_t at) {
  for (const Scope* level = &scope; level != nullptr; level = level->outer) {
    auto alias = level->select_aliases.find(Lower(name));
    bool has_alias = alias != level->select_aliases.end();
    if (has_alias && level->aliases_first) return alias->second;
    const ScopeColumn* found = nullptr;
    for (const ScopeColumn& column : level->merged) {
      if (EqualsIgnoreCase(column.name, name)) found = &column;
    }
    bool merged = found != nullptr;
    for (const RangeVariable& range : level->ranges) {
      if (merged) break;
      for (const ScopeColumn& column : range.columns) {
        if (!EqualsIgnoreCase(column.name, name)) continue;
        if (found != nullptr) {
          error = Error(at, fmt::format("Column name {} is ambiguous", name));
          return std::nullopt;
        }
        found = &column;
      }
    }
    if (found != nullptr) {
      Use(*found);
      return Of(found->sql, found->type);
    }
    if (std::optional<Value> range = LookUpRange(*level, name)) return range;
    if (has_alias) return alias->second;
  }
  return std::nullopt;
}

ValueOr Translator::PathValue(const Expression& expression, const Scope& scope) {
  const std::vector<std::string>& names = expression.names;
  absl::Status error;
  std::optional<Value> value;
  size_t next = 1;
  if (names.size() > 1) {  // a range variable's column comes before a column's field
    for (const Scope* level = &scope; level != nullptr && !value; level = level->outer) {
      for (const RangeVariable& range : level->ranges) {
        if (!EqualsIgnoreCase(range.name, names[0])) continue;
        for (const ScopeColumn& column : range.columns) {
          if (!EqualsIgnoreCase(column.name, names[1])) continue;
          Use(column);
          value = Of(column.sql, column.type);
          next = 2;
          break;
        }
        if (!value && range.value) value = *range.value;
        if (!value) {
          return Error(expression.at, fmt::format("Name {} not found inside {}", names[1], names[0]));
        }
        break;
      }
      if (!value) {
        absl::Status ambiguous;
        Scope only = *level;
        only.outer = nullptr;
        value = LookUp(names[0], only, ambiguous, expression.at);
        HAKOBU_RETURN_IF_ERROR(ambiguous);
      }
    }
  } else {
    value = LookUp(names[0], scope, error, expression.at);
    HAKOBU_RETURN_IF_ERROR(error);
  }
  if (!value) {
    std::string upper = Upper(names[0]);
    if (names.size() == 1 && !expression.quoted &&
        (upper == "CURRENT_DATE" || upper == "CURRENT_TIMESTAMP" || upper == "CURRENT_DATETIME" ||
         upper == "CURRENT_TIME")) {
      Expression call;
      call.kind = ExpressionKind::kCall;
      call.at = expression.at;
      call.names = names;
      return Call(call, scope);
    }
    return Error(expression.at, "Unrecognized name: " + names[0]);
  }
  for (; next < names.size(); ++next) {
    HAKOBU_ASSIGN_OR_RETURN(Value field, FieldOf(std::move(*value), names[next], expression.at));
    value = std::move(field);
  }
  return *value;
}

ValueOr Translator::FieldOf(Value base, const std::string& field, size_t at) {
  if (IsScalar(base.type, Type::kJson)) {
    return Of(fmt::format("json_extract({}, {})", base.sql, QuoteText("$.\"" + field + "\"")), Type::kJson);
  }
  if (IsArray(base.type)) {
    return Error(at,
                 fmt::format("Cannot access field {} on a value with type {}", field, TypeText(base.type)));
  }
  if (base.type.type != Type::kRecord) {
    return Error(at,
                 fmt::format("Cannot access field {} on a value with type {}", field, TypeText(base.type)));
  }
  for (const Column& candidate : base.type.fields) {
    if (EqualsIgnoreCase(candidate.name, field)) {
      return Of(fmt::format("struct_extract({}, {})", base.sql, QuoteText(candidate.name)), candidate);
    }
  }
  return Error(at, fmt::format("Field name {} does not exist in {}", field, TypeText(base.type)));
}

ValueOr Translator::IndexOf(const Expression& expression, const Scope& scope) {
  HAKOBU_ASSIGN_OR_RETURN(Value base, Expr(*expression.arguments[0], scope));
  HAKOBU_ASSIGN_OR_RETURN(Value index, Expr(*expression.arguments[1], scope));
  if (IsScalar(base.type, Type::kJson)) {
    if (IsScalar(index.type, Type::kString)) {
      if (index.literal) return FieldOf(std::move(base), index.text, expression.at);
      return Error(expression.at, "JSON subscript with an expression is not supported");
    }
    if (IsScalar(index.type, Type::kInt64)) {
      return Of(
          fmt::format("json_extract({}, CASE WHEN {} >= 0 THEN {} END)", base.sql, index.sql, index.sql),
          Type::kJson);
    }
  }
  std::optional<Value> position = Coerce(index, ScalarType(Type::kInt64));
  if (!IsArray(base.type) || !position) {
    return Error(expression.at, fmt::format("Element access using [] is not supported on values of type {}",
                                            TypeText(base.type)));
  }
  bool ordinal = expression.text == "ORDINAL" || expression.text == "SAFE_ORDINAL";
  bool safe = expression.text.starts_with("SAFE");
  std::string number = ordinal ? position->sql : fmt::format("({} + 1)", position->sql);
  std::string element = fmt::format("list_extract({}, {})", base.sql, number);
  std::string condition = fmt::format("{} < 1 OR {} > len({})", number, number, base.sql);
  if (safe)
    return Of(fmt::format("(CASE WHEN {} THEN NULL ELSE {} END)", condition, element), ElementOf(base.type));
  return Of(fmt::format("(CASE WHEN {} THEN error('Array index ' || {} || ' is out of bounds') ELSE {} END)",
                        condition, position->sql, element),
            ElementOf(base.type));
}

ValueOr Translator::UnaryOperator(const Expression& expression, const Scope& scope) {
  HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*expression.arguments[0], scope));
  const std::string& op = expression.text;
  if (op == "NOT") {
    std::optional<Value> flag = Coerce(value, ScalarType(Type::kBool));
    if (flag) return Of(fmt::format("(NOT {})", flag->sql), Type::kBool);
  } else if (op == "-" && (IsNumber(value.type) || IsScalar(value.type, Type::kInterval))) {
    return Of(fmt::format("(- {})", value.sql), value.type);
  } else if (op == "+" && IsNumber(value.type)) {
    return value;
  } else if (op == "~" && IsScalar(value.type, Type::kInt64)) {
    return Of(fmt::format("(~ {})", value.sql), Type::kInt64);
  } else if (op == "=>") {
    return Error(expression.at, fmt::format("Named argument {} is not supported", expression.names[0]));
  }
  return Error(expression.at, fmt::format("No matching signature for operator {} for argument types: {}", op,
                                          TypeText(value.type)));
}

ValueOr Translator::Operator(const Expression& expression, const Scope& scope) {
  std::vector<Value> values;
  for (const ExpressionPtr& argument : expression.arguments) {
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*argument, scope));
    values.push_back(std::move(value));
  }
  std::string_view negation = expression.negated ? "NOT " : "";
  auto flag = [&](size_t i) -> std::optional<std::string> {
    std::optional<Value> value = Coerce(values[i], ScalarType(Type::kBool));
    if (!value) return std::nullopt;
    return value->sql;
  };
  switch (expression.kind) {
    case ExpressionKind::kIsNull:
      return Of(fmt::format("({} IS {}NULL)", values[0].sql, negation), Type::kBool);
    case ExpressionKind::kIsTrue:
    case ExpressionKind::kIsFalse: {
      std::optional<std::string> sql = flag(0);
      if (!sql) break;
      return Of(fmt::format("({} IS {}{})", *sql, negation,
                            expression.kind == ExpressionKind::kIsTrue ? "TRUE" : "FALSE"),
                Type::kBool);
    }
    case ExpressionKind::kIsDistinct: {
      std::optional<Column> type = Supertype(values);
      if (!type) break;
      return Of(fmt::format("({} IS {}DISTINCT FROM {})", Coerce(values[0], *type)->sql, negation,
                            Coerce(values[1], *type)->sql),
                Type::kBool);
    }
    case ExpressionKind::kBetween: {
      HAKOBU_ASSIGN_OR_RETURN(Value low, Compare(">=", values[0], values[1], expression.at));
      HAKOBU_ASSIGN_OR_RETURN(Value high, Compare("<=", values[0], values[2], expression.at));
      return Of(fmt::format("({}({} AND {}))", negation, low.sql, high.sql), Type::kBool);
    }
    case ExpressionKind::kLike: {
      bool bytes = IsScalar(values[0].type, Type::kBytes) && IsScalar(values[1].type, Type::kBytes);
      std::optional<Value> text = Coerce(values[0], ScalarType(Type::kString));
      std::optional<Value> pattern = Coerce(values[1], ScalarType(Type::kString));
      if (bytes || !text || !pattern) break;
      return Of(fmt::format("({}({} LIKE {} ESCAPE '\\'))", negation, text->sql, pattern->sql), Type::kBool);
    }
    default:
      break;
  }
  const std::string& op = expression.text;
  if (expression.kind != ExpressionKind::kBinary) return NoSignature("operator", values, expression.at);
  if (op == "AND" || op == "OR") {
    std::optional<std::string> left = flag(0), right = flag(1);
    if (left && right) return Of(fmt::format("({} {} {})", *left, op, *right), Type::kBool);
    return NoSignature("operator " + op, values, expression.at);
  }
  if (op == "||") return Concat(std::move(values), expression.at);
  if (op == "=" || op == "<>" || op == "<" || op == "<=" || op == ">" || op == ">=") {
    return Compare(op, std::move(values[0]), std::move(values[1]), expression.at);
  }
  return Arithmetic(op, std::move(values[0]), std::move(values[1]), expression.at);
}

absl::Status Translator::NoSignature(std::string_view function, const std::vector<Value>& arguments,
                                     size_t at) const {
  std::string types;
  for (const Value& argument : arguments) {
    types += (types.empty() ? "" : ", ") + (argument.null_literal ? "NULL" : TypeText(argument.type));
  }
  std::string_view kind = function.starts_with("operator") ? "" : "function ";
  return Error(at,
               fmt::format("No matching signature for {}{} for argument types: {}", kind, function, types));
}

ValueOr Translator::Compare(const std::string& op, Value left, Value right, size_t at) {
  std::vector<Value> both{left, right};
  std::optional<Column> type = Supertype(both);
  bool equality = op == "=" || op == "<>";
  bool unfit = type && (IsScalar(*type, Type::kJson) || IsScalar(*type, Type::kGeography) || IsArray(*type) ||
                        (type->type == Type::kRecord && !equality));
  if (!type || unfit) {
    std::string types = fmt::format("{}, {}", TypeText(left.type), TypeText(right.type));
    return Error(
        at,
        fmt::format("No matching signature for operator {} for argument types: {}. Supported signature: ANY "
                    "{} ANY",
                    op == "<>" ? "!=" : op, types, op == "<>" ? "!=" : op));
  }
  std::optional<Value> a = Coerce(left, *type), b = Coerce(right, *type);
  // DuckDB takes NaN for equal to itself and greater than all; BigQuery's NaN compares with nothing. Equality
  // stays visible to DuckDB, so that joins can hash it.
  if (type->type == Type::kFloat64 && !left.literal && !right.literal) {
    if (op == "=") return Of(fmt::format("({} = {} AND NOT isnan({}))", a->sql, b->sql, a->sql), Type::kBool);
    return Of(fmt::format("bq_compare_double({}, {}, '{}')", a->sql, b->sql, op), Type::kBool);
  }
  return Of(fmt::format("({} {} {})", a->sql, op, b->sql), Type::kBool);
}

ValueOr Translator::In(const Expression& expression, const Scope& scope) {
  std::vector<Value> values;
  for (const ExpressionPtr& argument : expression.arguments) {
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*argument, scope));
    values.push_back(std::move(value));
  }
  std::string_view negation = expression.negated ? "NOT " : "";
  if (expression.kind == ExpressionKind::kInUnnest) {
    if (!IsArray(values[1].type)) {
      return Error(expression.at,
                   "Second argument of IN UNNEST must be an array but was " + TypeText(values[1].type));
    }
    std::optional<Value> array = Coerce(values[1], ArrayOf(values[0].type));
    std::optional<Value> needle = values[0];
    if (!array || values[0].literal) {
      array = values[1];
      needle = Coerce(values[0], ElementOf(values[1].type));
    }
    if (!needle) return NoSignature("operator IN", values, expression.at);
    return Of(fmt::format("({}({} IN (SELECT unnest({}))))", negation, needle->sql, array->sql), Type::kBool);
  }
  if (expression.kind == ExpressionKind::kInQuery) {
    HAKOBU_ASSIGN_OR_RETURN(QueryResult query, TranslateQuery(*expression.query, &scope));
    if (query.columns.size() != 1)
      return Error(expression.at, "Subquery of type IN must have only one output column");
    Value column;
    column.type = query.columns[0];
    column.type.name.clear();
    std::optional<Column> type = Supertype({values[0], column});
    if (!type) return NoSignature("operator IN", {values[0], column}, expression.at);
    column.sql = "\"_q\"." + QuoteName(query.sql_names[0]);
    std::string inner = query.sql;
    if (!SameType(column.type, *type)) {
      inner = fmt::format("SELECT {} FROM ({}) AS \"_q\"", Coerce(column, *type)->sql, query.sql);
    }
    return Of(fmt::format("({}({} IN ({})))", negation, Coerce(values[0], *type)->sql, inner), Type::kBool);
  }
  std::optional<Column> type = Supertype(values);
  if (!type) return NoSignature("operator IN", values, expression.at);
  std::string list;
  for (size_t i = 1; i < values.size(); ++i) list += (i > 1 ? ", " : "") + Coerce(values[i], *type)->sql;
  return Of(fmt::format("({}({} IN ({})))", negation, Coerce(values[0], *type)->sql, list), Type::kBool);
}

ValueOr Translator::Case(const Expression& expression, const Scope& scope) {
  std::vector<Value> results;
  std::vector<std::string> conditions;
  std::optional<Value> operand;
  size_t i = 0;
  if (expression.has_operand) {
    HAKOBU_ASSIGN_OR_RETURN(operand, Expr(*expression.arguments[i++], scope));
  }
  size_t pairs_end = expression.arguments.size() - (expression.has_else ? 1 : 0);
  for (; i + 1 < pairs_end + 1 && i < pairs_end; i += 2) {
    if (operand) {
      HAKOBU_ASSIGN_OR_RETURN(Value when, Expr(*expression.arguments[i], scope));
      HAKOBU_ASSIGN_OR_RETURN(Value equal, Compare("=", *operand, when, expression.at));
      conditions.push_back(equal.sql);
    } else {
      HAKOBU_ASSIGN_OR_RETURN(
          Value when, ExprAs(*expression.arguments[i], scope, ScalarType(Type::kBool), "CASE WHEN clause"));
      conditions.push_back(when.sql);
    }
    HAKOBU_ASSIGN_OR_RETURN(Value then, Expr(*expression.arguments[i + 1], scope));
    results.push_back(std::move(then));
  }
  if (expression.has_else) {
    HAKOBU_ASSIGN_OR_RETURN(Value otherwise, Expr(*expression.arguments.back(), scope));
    results.push_back(std::move(otherwise));
  }
  std::optional<Column> type = Supertype(results);
  if (!type) return NoSignature("operator CASE", results, expression.at);
  std::string sql = "(CASE";
  for (size_t k = 0; k < conditions.size(); ++k) {
    sql += fmt::format(" WHEN {} THEN {}", conditions[k], Coerce(results[k], *type)->sql);
  }
  if (expression.has_else) sql += " ELSE " + Coerce(results.back(), *type)->sql;
  return Of(sql + " END)", *type);
}

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
    return Of(IntervalSql(*parts), Type::kInterval);
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
