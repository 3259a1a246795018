// + - * / and the bit operators over numbers, dates and intervals.
#include <fmt/format.h>

#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {
namespace {

std::string Operate(const std::string& op, Type type, const std::string& a, const std::string& b) {
  switch (type) {
    case Type::kNumeric:
      if (op == "*") return fmt::format("bq_multiply_numeric({}, {})", a, b);
      if (op == "/") return fmt::format("bq_divide_numeric({}, {})", a, b);
      return fmt::format("CAST({} {} {} AS DECIMAL(38,9))", a, op, b);
    case Type::kBigNumeric:
      if (op == "*") return fmt::format("bq_multiply_bignumeric({}, {})", a, b);
      if (op == "/") return fmt::format("bq_divide_bignumeric({}, {})", a, b);
      return fmt::format("bq_in_bignumeric({} {} {})", a, op, b);
    case Type::kFloat64:
      if (op == "/") return fmt::format("bq_divide({}, {})", a, b);
      return fmt::format("bq_finite({} {} {}, {}, {})", a, op, b, a, b);
    default:
      return fmt::format("({} {} {})", a, op, b);
  }
}

}  // namespace

ValueOr Translator::Arithmetic(const std::string& op, Value left, Value right, size_t at) {
  bool bits = op == "&" || op == "|" || op == "^" || op == "<<" || op == ">>";
  if (bits) {
    std::optional<Value> a = Coerce(left, ScalarType(Type::kInt64)),
                         b = Coerce(right, ScalarType(Type::kInt64));
    if (!a || !b) return NoSignature("operator " + op, {left, right}, at);
    if (op == "^") return Of(fmt::format("xor({}, {})", a->sql, b->sql), Type::kInt64);
    if (op == "<<" || op == ">>") {
      return Of(fmt::format("bq_shift({}, {})", a->sql, op == "<<" ? b->sql : "(- " + b->sql + ")"),
                Type::kInt64);
    }
    return Of(fmt::format("({} {} {})", a->sql, op, b->sql), Type::kInt64);
  }
  if (left.null_literal) left = NullValue(IsNumber(right.type) ? right.type : ScalarType(Type::kInt64));
  if (right.null_literal) right = NullValue(IsNumber(left.type) ? left.type : ScalarType(Type::kInt64));
  if (!IsNumber(left.type) || !IsNumber(right.type))
    return DateArithmetic(op, std::move(left), std::move(right), at);
  std::optional<Column> type = Supertype({left, right});
  if (type && op == "/" && type->type == Type::kInt64) type = ScalarType(Type::kFloat64);
  if (!type) return NoSignature("operator " + op, {left, right}, at);
  std::optional<Value> a = Coerce(left, *type), b = Coerce(right, *type);
  if (!a || !b) return NoSignature("operator " + op, {left, right}, at);
  return Of(Operate(op, type->type, a->sql, b->sql), type->type);
}

ValueOr Translator::DateArithmetic(const std::string& op, Value left, Value right, size_t at) {
  Type a = left.type.type, b = right.type.type;
  bool plain = !IsArray(left.type) && !IsArray(right.type);
  auto is = [&](Type x, Type y) { return plain && a == x && b == y; };
  auto refuse = [&] { return NoSignature("operator " + op, {left, right}, at); };
  if (op == "+" && (is(Type::kInt64, Type::kDate) || is(Type::kInterval, Type::kDate) ||
                    is(Type::kInterval, Type::kDateTime) || is(Type::kInterval, Type::kTimestamp))) {
    return DateArithmetic(op, std::move(right), std::move(left), at);
  }
  if (op == "+" || op == "-") {
    if (is(Type::kDate, Type::kInt64)) {
      return Of(fmt::format("bq_date_in_range(({} {} CAST({} AS INTEGER)))", left.sql, op, right.sql),
                Type::kDate);
    }
    if (is(Type::kDate, Type::kInterval) || is(Type::kDateTime, Type::kInterval)) {
      return Of(fmt::format("(CAST({} AS TIMESTAMP) {} {})", left.sql, op, right.sql), Type::kDateTime);
    }
    if (is(Type::kTimestamp, Type::kInterval)) {
      return Of(fmt::format("({} {} {})", left.sql, op, right.sql), Type::kTimestamp);
    }
    if (is(Type::kInterval, Type::kInterval)) {
      return Of(fmt::format("({} {} {})", left.sql, op, right.sql), Type::kInterval);
    }
  }
  if (op == "-" && is(Type::kDate, Type::kDate)) {
    return Of(fmt::format("to_days(CAST({} - {} AS INTEGER))", left.sql, right.sql), Type::kInterval);
  }
  if (op == "-" && (is(Type::kTimestamp, Type::kTimestamp) || is(Type::kDateTime, Type::kDateTime))) {
    return Of(fmt::format("to_microseconds(epoch_us({}) - epoch_us({}))", left.sql, right.sql),
              Type::kInterval);
  }
  if (op == "*" && is(Type::kInterval, Type::kInt64)) {
    return Of(fmt::format("({} * {})", left.sql, right.sql), Type::kInterval);
  }
  if (op == "*" && is(Type::kInt64, Type::kInterval)) {
    return Of(fmt::format("({} * {})", right.sql, left.sql), Type::kInterval);
  }
  return refuse();
}

// CONCAT and ||: strings, bytes or arrays; NULL if any is.
ValueOr Translator::Concat(std::vector<Value> parts, size_t at) {
  std::optional<Column> type = Supertype(parts);
  bool nulls = true;
  for (const Value& part : parts) nulls = nulls && part.null_literal;
  if (nulls) type = ScalarType(Type::kString);
  if (!type || !(IsArray(*type) || type->type == Type::kString || type->type == Type::kBytes)) {
    return NoSignature("operator ||", parts, at);
  }
  Value out;
  out.type = *type;
  for (const Value& part : parts) out.sql += (out.sql.empty() ? "(" : " || ") + Coerce(part, *type)->sql;
  out.sql += ")";
  return out;
}

}  // namespace hakobu::localbq::sql
