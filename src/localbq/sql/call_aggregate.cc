// Aggregate and window functions.
#include <fmt/format.h>

#include <unordered_map>

#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {

bool IsAggregate(const std::string& name) {
  static const auto& names = *new std::set<std::string>{"COUNT",
                                                        "COUNTIF",
                                                        "SUM",
                                                        "AVG",
                                                        "MIN",
                                                        "MAX",
                                                        "ANY_VALUE",
                                                        "ARRAY_AGG",
                                                        "ARRAY_CONCAT_AGG",
                                                        "STRING_AGG",
                                                        "APPROX_COUNT_DISTINCT",
                                                        "BIT_XOR",
                                                        "BIT_AND",
                                                        "BIT_OR",
                                                        "LOGICAL_AND",
                                                        "LOGICAL_OR",
                                                        "STDDEV",
                                                        "STDDEV_SAMP",
                                                        "STDDEV_POP",
                                                        "VARIANCE",
                                                        "VAR_SAMP",
                                                        "VAR_POP",
                                                        "CORR",
                                                        "COVAR_POP",
                                                        "COVAR_SAMP",
                                                        "MAX_BY",
                                                        "MIN_BY",
                                                        "APPROX_QUANTILES",
                                                        "APPROX_TOP_COUNT"};
  return names.contains(name);
}

namespace {

bool Orderable(const Column& type) {
  return !IsArray(type) && type.type != Type::kRecord && type.type != Type::kJson &&
         type.type != Type::kGeography;
}

}  // namespace

std::string OrderKey(const std::string& sql, const Column& type, const OrderItem& item, bool one_key) {
  const std::string direction = fmt::format("{} NULLS {}", item.descending ? " DESC" : " ASC",
                                            item.nulls_first.value_or(!item.descending) ? "FIRST" : "LAST");
  if (one_key || !IsScalar(type, Type::kFloat64)) return sql + direction;
  return fmt::format("(NOT isnan({})){}, {}{}", sql, direction, sql, direction);
}

absl::StatusOr<std::string> Translator::OrderSql(const std::vector<OrderItem>& items, const Scope& scope,
                                                 bool one_key) {
  std::string list;
  for (const OrderItem& item : items) {
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*item.expression, scope));
    if (!Orderable(value.type)) {
      return Error(item.expression->at,
                   "ORDER BY does not support expressions of type " + TypeText(value.type));
    }
    list += (list.empty() ? " ORDER BY " : ", ") + OrderKey(value.sql, value.type, item, one_key);
  }
  return list;
}

absl::StatusOr<std::string> Translator::WindowSql(const Window& window, const Scope& scope) {
  Scope plain = scope;
  std::string base;
  std::string sql;
  const Window* partition = &window;
  const Window* order = &window;
  const Window* frame = &window;
  std::string name = window.base;
  for (int depth = 0; !name.empty(); ++depth) {
    const Window* found = nullptr;
    for (const Scope* level = &scope; level != nullptr && found == nullptr; level = level->outer) {
      if (level->windows == nullptr) continue;
      for (const auto& [candidate, definition] : *level->windows) {
        if (EqualsIgnoreCase(candidate, name)) found = &definition;
      }
    }
    if (found == nullptr || depth > 8) {
      return absl::InvalidArgumentError(fmt::format("Unrecognized window alias {}", name));
    }
    if (partition->partition.empty()) partition = found;
    if (order->order.empty()) order = found;
    if (frame->frame.empty()) frame = found;
    name = found->base;
  }
  for (const ExpressionPtr& expression : partition->partition) {
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*expression, plain));
    sql += (sql.empty() ? "PARTITION BY " : ", ") + value.sql;
  }
  HAKOBU_ASSIGN_OR_RETURN(std::string by, OrderSql(order->order, plain, frame->frame == "RANGE"));
  sql += by;
  if (!frame->frame.empty()) {
    auto bound = [&](const FrameBound& edge) -> absl::StatusOr<std::string> {
      using Kind = FrameBound::Kind;
      switch (edge.kind) {
        case Kind::kUnboundedPreceding:
          return std::string("UNBOUNDED PRECEDING");
        case Kind::kUnboundedFollowing:
          return std::string("UNBOUNDED FOLLOWING");
        case Kind::kCurrentRow:
          return std::string("CURRENT ROW");
        default:
          break;
      }
      HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*edge.value, plain));
      return fmt::format("{} {}", value.sql, edge.kind == Kind::kPreceding ? "PRECEDING" : "FOLLOWING");
    };
    HAKOBU_ASSIGN_OR_RETURN(std::string from, bound(*frame->from));
    std::string to = "CURRENT ROW";
    if (frame->to) {
      HAKOBU_ASSIGN_OR_RETURN(to, bound(*frame->to));
    }
    sql += fmt::format(" {} BETWEEN {} AND {}", frame->frame, from, to);
  }
  return fmt::format(" OVER ({})", sql);
}

ValueOr Translator::Aggregate(const std::string& name, const Expression& expression, const Scope& scope,
                              bool& found) {
  found = IsAggregate(name);
  if (!found) return Value();
  if (expression.having) {
    if (name != "ANY_VALUE" || expression.arguments.size() != 1) {
      return Error(expression.at, fmt::format("{} with HAVING {} is not supported", name, expression.text2));
    }
    HAKOBU_ASSIGN_OR_RETURN(Value by, Expr(*expression.having, scope));
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*expression.arguments[0], scope));
    std::string over;
    if (expression.over) {
      HAKOBU_ASSIGN_OR_RETURN(over, WindowSql(*expression.over, scope));
    }
    return Of(fmt::format("{}({}, {}){}", expression.text2 == "MAX" ? "arg_max_null" : "arg_min_null",
                          value.sql, by.sql, over),
              value.type);
  }
  std::string over;
  if (expression.over) {
    HAKOBU_ASSIGN_OR_RETURN(over, WindowSql(*expression.over, scope));
  }
  std::vector<Value> arguments;
  for (const ExpressionPtr& argument : expression.arguments) {
    if (argument->kind == ExpressionKind::kStar) {
      if (name != "COUNT" || expression.arguments.size() != 1) {
        return Error(argument->at, "Argument * can only be used in COUNT(*)");
      }
      return Of("count(*)" + over, ScalarType(Type::kInt64));
    }
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*argument, scope));
    arguments.push_back(std::move(value));
  }
  return AggregateOver(name, expression, scope, std::move(arguments), over);
}

namespace {

// `sql`: DuckDB's sum of values of this type. nullopt: they have no sum.
std::optional<Value> SumOf(Type type, const std::string& sql) {
  switch (type) {
    case Type::kInt64:
      return Of(fmt::format("CAST({} AS BIGINT)", sql), ScalarType(type));
    case Type::kNumeric:
      return Of(fmt::format("CAST({} AS DECIMAL(38,9))", sql), ScalarType(type));
    case Type::kFloat64:
      return Of(sql, ScalarType(type));
    case Type::kBigNumeric:
      return Of(fmt::format("bq_in_bignumeric({})", sql), ScalarType(type));
    default:
      return std::nullopt;
  }
}

// From DuckDB's average, sum and count of values of this type. nullopt: they have no average.
std::optional<Value> AverageOf(Type type, std::string average, std::string_view sum, std::string_view count) {
  if (type == Type::kInt64 || type == Type::kFloat64) {
    return Of(std::move(average), ScalarType(Type::kFloat64));
  }
  if (type != Type::kNumeric && type != Type::kBigNumeric) return std::nullopt;
  const Value divisor = Of(fmt::format("NULLIF({}, 0)", count), ScalarType(Type::kInt64));
  const std::string by = Coerce(divisor, ScalarType(type))->sql;
  if (type == Type::kBigNumeric) {
    return Of(fmt::format("bq_divide_bignumeric({}, {})", sum, by), ScalarType(type));
  }
  return Of(fmt::format("bq_divide_numeric(CAST({} AS DECIMAL(38,9)), {})", sum, by), ScalarType(type));
}

struct Statistic {
  std::string_view function;  // DuckDB's
  std::string list;           // of arguments
};

// nullopt: no function of this name takes these arguments.
std::optional<Statistic> StatisticOf(const std::string& name, const std::vector<Value>& arguments) {
  static const auto& statistics = *new std::unordered_map<std::string, std::string_view>{
      {"STDDEV", "stddev_samp"}, {"STDDEV_SAMP", "stddev_samp"}, {"STDDEV_POP", "stddev_pop"},
      {"VARIANCE", "var_samp"},  {"VAR_SAMP", "var_samp"},       {"VAR_POP", "var_pop"},
      {"CORR", "corr"},          {"COVAR_POP", "covar_pop"},     {"COVAR_SAMP", "covar_samp"}};
  const auto found = statistics.find(name);
  const size_t wanted = name.starts_with("CO") ? 2 : 1;
  if (found == statistics.end() || arguments.size() != wanted) return std::nullopt;
  Statistic statistic{found->second, ""};
  for (const Value& argument : arguments) {
    if (!IsNumber(argument.type)) return std::nullopt;
    if (!statistic.list.empty()) statistic.list += ", ";
    statistic.list += Coerce(argument, ScalarType(Type::kFloat64))->sql;
  }
  return statistic;
}

}  // namespace

ValueOr Translator::AggregateOver(const std::string& name, const Expression& expression, const Scope& scope,
                                  std::vector<Value> arguments, const std::string& over) {
  ++aggregates_;
  size_t at = expression.at;
  auto refuse = [&] { return NoSignature(name, arguments, at); };
  auto call = [&](std::string_view function, std::string_view list) {
    return fmt::format("{}({}{}){}", function, expression.distinct ? "DISTINCT " : "", list, over);
  };
  if (arguments.empty()) return refuse();
  const Value& value = arguments[0];
  Type type = value.type.type;
  bool one = arguments.size() == 1, plain = !IsArray(value.type);
  bool takes_order = name == "ARRAY_AGG" || name == "STRING_AGG" || name == "ARRAY_CONCAT_AGG";
  if (!takes_order && (!expression.order.empty() || expression.limit)) {
    return Error(at,
                 fmt::format("Aggregate function {} does not support ORDER BY or LIMIT in arguments", name));
  }
  if (takes_order) return OrderedAggregate(name, expression, scope, arguments, over);
  if (name == "COUNT" && one) return Of(call("count", value.sql), ScalarType(Type::kInt64));
  if (name == "COUNTIF" && one) {
    std::optional<Value> flag = Coerce(value, ScalarType(Type::kBool));
    if (!flag) return refuse();
    if (expression.distinct) return Error(at, "COUNTIF with DISTINCT is not supported");
    return Of(fmt::format("count(CASE WHEN {} THEN 1 END){}", flag->sql, over), ScalarType(Type::kInt64));
  }
  if (name == "SUM" && one && plain) {
    std::optional<Value> sum = SumOf(type, call("sum", value.sql));
    if (!sum) return refuse();
    return *sum;
  }
  if (name == "AVG" && one && plain) {
    std::optional<Value> mean =
        AverageOf(type, call("avg", value.sql), call("sum", value.sql), call("count", value.sql));
    if (!mean) return refuse();
    return *mean;
  }
  if ((name == "MIN" || name == "MAX") && one) {
    if (!Orderable(value.type)) return refuse();
    if (type == Type::kFloat64) {  // NaN wins in BigQuery; DuckDB has it as the greatest
      std::string nan = fmt::format("bool_or(isnan({})){}", value.sql, over);
      return Of(
          fmt::format("(CASE WHEN {} THEN 'nan'::DOUBLE ELSE {} END)", nan, call(Lower(name), value.sql)),
          ScalarType(type));
    }
    return Of(call(Lower(name), value.sql), value.type);
  }
  if (name == "ANY_VALUE" && one) return Of(fmt::format("any_value({}){}", value.sql, over), value.type);
  if (name == "APPROX_COUNT_DISTINCT" && one) {  // exact: also an answer within its bounds
    return Of(fmt::format("count(DISTINCT {}){}", value.sql, over), ScalarType(Type::kInt64));
  }
  if ((name == "BIT_XOR" || name == "BIT_AND" || name == "BIT_OR") && one &&
      IsScalar(value.type, Type::kInt64)) {
    return Of(call(Lower(name), value.sql), value.type);
  }
  if ((name == "LOGICAL_AND" || name == "LOGICAL_OR") && one) {
    std::optional<Value> flag = Coerce(value, ScalarType(Type::kBool));
    if (!flag) return refuse();
    return Of(call(name == "LOGICAL_AND" ? "bool_and" : "bool_or", flag->sql), ScalarType(Type::kBool));
  }
  if (name == "MAX_BY" || name == "MIN_BY") {
    if (arguments.size() != 2 || !Orderable(arguments[1].type)) return refuse();
    return Of(fmt::format("{}({}, {}){}", name == "MAX_BY" ? "arg_max_null" : "arg_min_null", value.sql,
                          arguments[1].sql, over),
              value.type);
  }
  if (std::optional<Statistic> statistic = StatisticOf(name, arguments)) {
    return Of(call(statistic->function, statistic->list), ScalarType(Type::kFloat64));
  }
  if (name == "APPROX_QUANTILES" || name == "APPROX_TOP_COUNT") {
    return ApproximateAggregate(name, expression, arguments);
  }
  return refuse();
}

ValueOr Translator::OrderedAggregate(const std::string& name, const Expression& expression,
                                     const Scope& scope, const std::vector<Value>& arguments,
                                     const std::string& over) {
  size_t at = expression.at;
  const Value& value = arguments[0];
  HAKOBU_ASSIGN_OR_RETURN(std::string order, OrderSql(expression.order, scope, expression.distinct));
  std::string limit;
  if (expression.limit) {
    HAKOBU_ASSIGN_OR_RETURN(Value count, ExprAs(*expression.limit, scope, ScalarType(Type::kInt64), "LIMIT"));
    limit = count.sql;
  }
  std::string distinct = expression.distinct ? "DISTINCT " : "";
  if (expression.distinct && order.empty()) order = fmt::format(" ORDER BY {}", value.sql);
  if (name == "ARRAY_AGG") {
    if (IsArray(value.type))
      return Error(at, "The argument to ARRAY_AGG must not be an array type but was " + TypeText(value.type));
    if (arguments.size() != 1) return NoSignature(name, arguments, at);
    std::string filter =
        expression.ignore_nulls ? fmt::format(" FILTER (WHERE {} IS NOT NULL)", value.sql) : "";
    std::string list = fmt::format("list({}{}{}){}{}", distinct, value.sql, order, filter, over);
    if (!limit.empty()) list = fmt::format("list_slice({}, 1, {})", list, limit);
    return Of(list, ArrayOf(value.type));
  }
  if (name == "ARRAY_CONCAT_AGG") {
    if (!IsArray(value.type) || arguments.size() != 1 || !limit.empty() || expression.distinct) {
      return NoSignature(name, arguments, at);
    }
    return Of(
        fmt::format("flatten(list({}{}) FILTER (WHERE {} IS NOT NULL){})", value.sql, order, value.sql, over),
        value.type);
  }
  bool bytes = IsScalar(value.type, Type::kBytes);
  if (bytes || arguments.size() > 2) return Error(at, "STRING_AGG of these arguments is not supported");
  std::optional<Value> text = Coerce(value, ScalarType(Type::kString));
  std::optional<Value> separator = TextValue(",");
  if (arguments.size() == 2) separator = Coerce(arguments[1], ScalarType(Type::kString));
  if (!text || !separator) return NoSignature(name, arguments, at);
  if (limit.empty()) {
    return Of(fmt::format("string_agg({}{}, {}{}){}", distinct, text->sql, separator->sql, order, over),
              ScalarType(Type::kString));
  }
  return Of(
      fmt::format("array_to_string(list_slice(list({}{}{}) FILTER (WHERE {} IS NOT NULL){}, 1, {}), {})",
                  distinct, text->sql, order, text->sql, over, limit, separator->sql),
      ScalarType(Type::kString));
}

ValueOr Translator::WindowCall(const std::string& name, const Expression& expression, const Scope& scope,
                               bool& found) {
  static const auto& numbering = *new std::unordered_map<std::string, Type>{
      {"ROW_NUMBER", Type::kInt64},     {"RANK", Type::kInt64},        {"DENSE_RANK", Type::kInt64},
      {"PERCENT_RANK", Type::kFloat64}, {"CUME_DIST", Type::kFloat64}, {"NTILE", Type::kInt64}};
  static const auto& navigation =
      *new std::set<std::string>{"FIRST_VALUE", "LAST_VALUE", "NTH_VALUE", "LEAD", "LAG"};
  auto number = numbering.find(name);
  bool percentile = name == "PERCENTILE_CONT" || name == "PERCENTILE_DISC";
  found = number != numbering.end() || navigation.contains(name) || percentile;
  if (!found) return Value();
  size_t at = expression.at;
  if (!expression.over) return Error(at, fmt::format("Window function {} requires an OVER clause", name));
  HAKOBU_ASSIGN_OR_RETURN(std::string over, WindowSql(*expression.over, scope));
  std::vector<Value> arguments;
  for (const ExpressionPtr& argument : expression.arguments) {
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*argument, scope));
    arguments.push_back(std::move(value));
  }
  auto refuse = [&] { return NoSignature(name, arguments, at); };
  if (number != numbering.end()) {
    if (arguments.size() != (name == "NTILE" ? 1U : 0U)) return refuse();
    std::string list = arguments.empty() ? "" : arguments[0].sql;
    return Of(fmt::format("{}({}){}", Lower(name), list, over), ScalarType(number->second));
  }
  std::string nulls = expression.ignore_nulls ? " IGNORE NULLS" : "";
  if (arguments.empty()) return refuse();
  if (percentile) {
    std::optional<Value> fraction =
        arguments.size() == 2 ? Coerce(arguments[1], ScalarType(Type::kFloat64)) : std::nullopt;
    if (!fraction || expression.respect_nulls) return refuse();
    if (name == "PERCENTILE_DISC") {
      return Of(fmt::format("quantile_disc({}, {}){}", arguments[0].sql, fraction->sql, over),
                arguments[0].type);
    }
    if (IsScalar(arguments[0].type, Type::kNumeric)) {
      return Of(fmt::format("CAST(quantile_cont({}, {}){} AS DECIMAL(38,9))", arguments[0].sql, fraction->sql,
                            over),
                arguments[0].type);
    }
    if (IsScalar(arguments[0].type, Type::kBigNumeric)) {
      return Error(at, "PERCENTILE_CONT of BIGNUMERIC is not supported");
    }
    std::optional<Value> value = Coerce(arguments[0], ScalarType(Type::kFloat64));
    if (!value) return refuse();
    return Of(fmt::format("quantile_cont({}, {}){}", value->sql, fraction->sql, over),
              ScalarType(Type::kFloat64));
  }
  std::string list = arguments[0].sql;
  bool shift = name == "LEAD" || name == "LAG";
  size_t most = shift ? 3 : name == "NTH_VALUE" ? 2 : 1;
  if (arguments.size() > most || (name == "NTH_VALUE" && arguments.size() != 2)) return refuse();
  if (arguments.size() > 1) list += fmt::format(", {}", arguments[1].sql);
  if (arguments.size() > 2) {
    std::optional<Value> otherwise = Coerce(arguments[2], arguments[0].type);
    if (!otherwise) return refuse();
    list += ", " + otherwise->sql;
  }
  return Of(fmt::format("{}({}{}){}", Lower(name), list, nulls, over), arguments[0].type);
}

}  // namespace hakobu::localbq::sql
