// Names, fields, operators and constructors.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "localbq/sql/civil.h"
#include "localbq/sql/interval.h"
#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {
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

ValueOr Translator::UnaryOperator(const Expression& expression, const Scope& scope) {
  HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*expression.arguments[0], scope));
  const std::string& op = expression.text;
  if (op == "NOT") {
    std::optional<Value> flag = Coerce(value, ScalarType(Type::kBool));
    if (flag) return Of(fmt::format("(NOT {})", flag->sql), Type::kBool);
  } else if (op == "-" && (IsNumber(value.type) || IsScalar(value.type, Type::kInterval))) {
    const bool big = IsScalar(value.type, Type::kBigNumeric);
    return Of(fmt::format("{}(- {})", big ? "bq_in_bignumeric" : "", value.sql), value.type);
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
  if (type->type == Type::kFloat64) {  // a literal is no NaN; the other side may be
    if (op.starts_with('>') && !left.literal)
      return Of(fmt::format("({} {} {} AND NOT isnan({}))", a->sql, op, b->sql, a->sql), Type::kBool);
    if (op.starts_with('<') && op != "<>" && !right.literal)
      return Of(fmt::format("({} {} {} AND NOT isnan({}))", a->sql, op, b->sql, b->sql), Type::kBool);
  }
  return Of(fmt::format("({} {} {})", a->sql, op, b->sql), Type::kBool);
}

ValueOr Translator::In(const Expression& expression, const Scope& scope) {
  std::vector<Value> values;
  for (const ExpressionPtr& argument : expression.arguments) {
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*argument, scope));
    values.push_back(std::move(value));
  }
  // NaN is like no other value, itself included; DuckDB finds it.
  const auto found_in = [&](const Value& needle, const std::string& where) {
    std::string sql = fmt::format("{} IN ({})", needle.sql, where);
    if (IsScalar(needle.type, Type::kFloat64)) sql = fmt::format("({} AND NOT isnan({}))", sql, needle.sql);
    return Of(fmt::format("({}({}))", expression.negated ? "NOT " : "", sql), Type::kBool);
  };
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
    return found_in(*needle, fmt::format("SELECT unnest({})", array->sql));
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
    return found_in(*Coerce(values[0], *type), inner);
  }
  std::optional<Column> type = Supertype(values);
  if (!type) return NoSignature("operator IN", values, expression.at);
  std::string list;
  for (size_t i = 1; i < values.size(); ++i) list += (i > 1 ? ", " : "") + Coerce(values[i], *type)->sql;
  return found_in(*Coerce(values[0], *type), list);
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

}  // namespace hakobu::localbq::sql
