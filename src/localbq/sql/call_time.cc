// Dates and times: constructors, arithmetic, truncation, parts and formats.
// https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/timestamp_functions (and date, datetime,
// time)
#include <fmt/format.h>

#include <unordered_map>

#include "localbq/sql/civil.h"
#include "localbq/sql/interval.h"
#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {
namespace {

// A date part written as a bare word, WEEK(MONDAY) included; empty: none.
std::string PartOf(const Expression& expression) {
  if (expression.kind == ExpressionKind::kPath && expression.names.size() == 1)
    return Upper(expression.names[0]);
  if (expression.kind == ExpressionKind::kCall && expression.names.size() == 1 &&
      expression.arguments.size() == 1 && EqualsIgnoreCase(expression.names[0], "WEEK") &&
      expression.arguments[0]->kind == ExpressionKind::kPath) {
    return "WEEK(" + Upper(expression.arguments[0]->names[0]) + ")";
  }
  return "";
}

// The first day of a WEEK part: 0 Sunday … 6 Saturday.
std::optional<int> WeekStart(std::string_view part) {
  static constexpr std::string_view kDays[] = {"SUNDAY",   "MONDAY", "TUESDAY", "WEDNESDAY",
                                               "THURSDAY", "FRIDAY", "SATURDAY"};
  if (part == "WEEK") return 0;
  if (part == "ISOWEEK") return 1;
  for (int i = 0; i < 7; ++i) {
    if (part == fmt::format("WEEK({})", kDays[i])) return i;
  }
  return std::nullopt;
}

bool IsClockPart(std::string_view part) {
  return part == "HOUR" || part == "MINUTE" || part == "SECOND" || part == "MILLISECOND" ||
         part == "MICROSECOND";
}

std::string WithZone(const Value& timestamp, const std::string& zone) {
  return fmt::format("({} AT TIME ZONE {})", timestamp.sql, zone);
}

int64_t ClockMicros(std::string_view part) {
  return IntervalOf(1, part)->micros;
}

}  // namespace

std::string Translator::Now() const {
  if (context_.now_us == 0) return "now()";
  return fmt::format("make_timestamptz({}::BIGINT)", context_.now_us);
}

// Truncates a DuckDB DATE or TIMESTAMP expression; empty: no such part.
std::string Translator::TruncateSql(const std::string& sql, const std::string& part, bool date) {
  std::string type = date ? "DATE" : "TIMESTAMP";
  if (std::optional<int> start = WeekStart(part)) {
    return fmt::format("CAST(date_trunc('week', {} + INTERVAL {} DAY) - INTERVAL {} DAY AS {})", sql,
                       (8 - *start) % 7, (8 - *start) % 7, type);
  }
  if (part == "ISOYEAR") {
    return fmt::format("CAST(date_trunc('week', make_date(CAST(isoyear({}) AS BIGINT), 1, 4)) AS {})", sql,
                       type);
  }
  bool known =
      part == "DAY" || part == "MONTH" || part == "QUARTER" || part == "YEAR" || (!date && IsClockPart(part));
  if (!known) return "";
  return fmt::format("CAST(date_trunc('{}', {}) AS {})", Lower(part), sql, type);
}

// How many `part` boundaries lie between two DuckDB DATEs or TIMESTAMPs.
std::string Translator::DifferenceSql(const std::string& to, const std::string& from, const std::string& part,
                                      bool date) {
  if (std::optional<int> start = WeekStart(part)) {
    return fmt::format("CAST(date_diff('day', {}, {}) // 7 AS BIGINT)", TruncateSql(from, part, date),
                       TruncateSql(to, part, date));
  }
  if (part == "ISOYEAR") return fmt::format("CAST(isoyear({}) - isoyear({}) AS BIGINT)", to, from);
  if (part == "DAY" || part == "MONTH" || part == "QUARTER" || part == "YEAR") {
    return fmt::format("CAST(date_diff('{}', {}, {}) AS BIGINT)", Lower(part), from, to);
  }
  if (!date && IsClockPart(part))
    return fmt::format("CAST(date_diff('{}', {}, {}) AS BIGINT)", Lower(part), from, to);
  return "";
}

ValueOr Translator::Extract(const Expression& expression, const Scope& scope) {
  HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*expression.arguments[0], scope));
  std::string zone = "'UTC'";
  if (expression.arguments.size() > 1) {
    HAKOBU_ASSIGN_OR_RETURN(
        Value given, ExprAs(*expression.arguments[1], scope, ScalarType(Type::kString), "AT TIME ZONE"));
    zone = fmt::format("bq_zone({})", given.sql);
  }
  const std::string& part = expression.text;
  Type type = value.type.type;
  auto refuse = [&] {
    return Error(expression.at, fmt::format("EXTRACT from {} does not support the {} date part",
                                            TypeText(value.type), part));
  };
  if (IsArray(value.type)) return refuse();
  std::string sql = value.sql;
  if (type == Type::kTimestamp) sql = WithZone(value, zone);
  bool has_date = type == Type::kTimestamp || type == Type::kDateTime || type == Type::kDate;
  bool has_clock = type == Type::kTimestamp || type == Type::kDateTime || type == Type::kTime;
  if (type == Type::kInterval) {
    static const auto& fields = *new std::unordered_map<std::string, std::string_view>{
        {"YEAR", "year"}, {"MONTH", "month"},   {"DAY", "day"},
        {"HOUR", "hour"}, {"MINUTE", "minute"}, {"SECOND", "second"}};
    auto field = fields.find(part);
    if (field == fields.end()) return refuse();
    if (part == "SECOND")
      return Of(fmt::format("CAST(trunc(date_part('second', {})) AS BIGINT)", sql), Type::kInt64);
    return Of(fmt::format("CAST(date_part('{}', {}) AS BIGINT)", field->second, sql), Type::kInt64);
  }
  if (!has_date && !has_clock) return refuse();
  if (part == "DATE" && has_date && has_clock) return Of(fmt::format("CAST({} AS DATE)", sql), Type::kDate);
  if (part == "TIME" && has_date && has_clock) return Of(fmt::format("CAST({} AS TIME)", sql), Type::kTime);
  if (part == "DATETIME" && type == Type::kTimestamp) return Of(sql, Type::kDateTime);
  if (has_date) {
    if (part == "DAYOFWEEK") return Of(fmt::format("CAST(dayofweek({}) + 1 AS BIGINT)", sql), Type::kInt64);
    if (part == "ISOWEEK") return Of(fmt::format("CAST(weekofyear({}) AS BIGINT)", sql), Type::kInt64);
    if (part == "ISOYEAR") return Of(fmt::format("CAST(isoyear({}) AS BIGINT)", sql), Type::kInt64);
    if (std::optional<int> start = WeekStart(part)) {  // days before the year's first such weekday are week 0
      return Of(fmt::format("CAST((dayofyear({}) - 1 + 7 - (dayofweek({}) + 7 - {}) % 7) // 7 AS BIGINT)",
                            sql, sql, *start),
                Type::kInt64);
    }
    for (std::string_view name : {"YEAR", "QUARTER", "MONTH", "DAY", "DAYOFYEAR"}) {
      if (part == name) return Of(fmt::format("CAST({}({}) AS BIGINT)", Lower(name), sql), Type::kInt64);
    }
  }
  if (has_clock) {
    if (part == "HOUR" || part == "MINUTE" || part == "SECOND") {
      return Of(fmt::format("CAST({}({}) AS BIGINT)", Lower(part), sql), Type::kInt64);
    }
    if (part == "MILLISECOND")
      return Of(fmt::format("CAST(millisecond({}) % 1000 AS BIGINT)", sql), Type::kInt64);
    if (part == "MICROSECOND")
      return Of(fmt::format("CAST(microsecond({}) % 1000000 AS BIGINT)", sql), Type::kInt64);
  }
  return refuse();
}

namespace {

struct Family {
  std::string_view name;  // DATE, DATETIME, TIME, TIMESTAMP
  Type type;
};
constexpr Family kFamilies[] = {{"DATETIME", Type::kDateTime},
                                {"DATE", Type::kDate},
                                {"TIMESTAMP", Type::kTimestamp},
                                {"TIME", Type::kTime}};

}  // namespace

ValueOr Translator::TimeCall(const std::string& name, const Expression& expression, const Scope& scope,
                             bool& found) {
  found = true;
  for (const Family& family : kFamilies) {
    std::string prefix = std::string(family.name);
    if (name == prefix) return TimeConstructor(family.type, expression, scope);
    if (name == prefix + "_ADD" || name == prefix + "_SUB") {
      return TimeShift(family.type, name, expression, scope);
    }
    if (name == prefix + "_DIFF") return TimeDifference(family.type, name, expression, scope);
    if (name == prefix + "_TRUNC") return TimeTruncate(family.type, name, expression, scope);
    if (name == "FORMAT_" + prefix || name == "PARSE_" + prefix)
      return TimeFormat(family.type, name, expression, scope);
    if (name == "CURRENT_" + prefix) return TimeNow(family.type, expression, scope);
  }
  if (name == "LAST_DAY") {
    if (expression.arguments.empty() || expression.arguments.size() > 2)
      return Error(expression.at, "LAST_DAY needs a date");
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*expression.arguments[0], scope));
    std::string part = expression.arguments.size() > 1 ? PartOf(*expression.arguments[1]) : "MONTH";
    std::optional<Value> date = Coerce(value, ScalarType(Type::kDate));
    if (IsScalar(value.type, Type::kDateTime))
      date = Of(fmt::format("CAST({} AS DATE)", value.sql), Type::kDate);
    std::string first = date ? TruncateSql(date->sql, part, true) : "";
    if (first.empty() || part == "DAY") return NoSignature(name, {value}, expression.at);
    std::string step = part == "ISOYEAR"   ? ""
                       : WeekStart(part)   ? "INTERVAL 7 DAY"
                       : part == "QUARTER" ? "INTERVAL 3 MONTH"
                                           : "INTERVAL 1 " + part;
    if (step.empty()) return Error(expression.at, "LAST_DAY of ISOYEAR is not supported");
    return Of(fmt::format("CAST({} + {} - INTERVAL 1 DAY AS DATE)", first, step), Type::kDate);
  }
  if (name == "GENERATE_DATE_ARRAY" || name == "GENERATE_TIMESTAMP_ARRAY")
    return TimeArray(name, expression, scope);
  struct Epoch {
    std::string_view name;
    Type from, to;
    std::string_view sql;
  };
  static constexpr Epoch kEpochs[] = {
      {"UNIX_SECONDS", Type::kTimestamp, Type::kInt64, "CAST(floor(epoch_us({}) / 1000000) AS BIGINT)"},
      {"UNIX_MILLIS", Type::kTimestamp, Type::kInt64, "CAST(floor(epoch_us({}) / 1000) AS BIGINT)"},
      {"UNIX_MICROS", Type::kTimestamp, Type::kInt64, "CAST(epoch_us({}) AS BIGINT)"},
      {"UNIX_DATE", Type::kDate, Type::kInt64, "CAST({} - DATE '1970-01-01' AS BIGINT)"},
      {"TIMESTAMP_SECONDS", Type::kInt64, Type::kTimestamp, "bq_timestamp_micros({} * 1000000::BIGINT)"},
      {"TIMESTAMP_MILLIS", Type::kInt64, Type::kTimestamp, "bq_timestamp_micros({} * 1000::BIGINT)"},
      {"TIMESTAMP_MICROS", Type::kInt64, Type::kTimestamp, "bq_timestamp_micros({})"},
      {"DATE_FROM_UNIX_DATE", Type::kInt64, Type::kDate,
       "bq_date_in_range(DATE '1970-01-01' + CAST({} AS INTEGER))"},
  };
  for (const Epoch& epoch : kEpochs) {
    if (name != epoch.name) continue;
    if (expression.arguments.size() != 1)
      return Error(expression.at, "No matching signature for function " + name);
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*expression.arguments[0], scope));
    std::optional<Value> coerced = Coerce(value, ScalarType(epoch.from));
    if (!coerced) return NoSignature(name, {value}, expression.at);
    return Of(fmt::format(fmt::runtime(epoch.sql), coerced->sql), epoch.to);
  }
  found = false;
  return Value();
}

absl::StatusOr<std::string> Translator::ZoneSql(const Expression* expression, const Scope& scope) {
  if (expression == nullptr) return std::string("'UTC'");
  HAKOBU_ASSIGN_OR_RETURN(Value zone, ExprAs(*expression, scope, ScalarType(Type::kString), "Time zone"));
  return fmt::format("bq_zone({})", zone.sql);
}

ValueOr Translator::TimeNow(Type type, const Expression& expression, const Scope& scope) {
  if (expression.arguments.size() > (type == Type::kTimestamp ? 0U : 1U)) {
    return Error(expression.at, "No matching signature for function " + Upper(expression.names.back()));
  }
  if (type == Type::kTimestamp) return Of(Now(), type);
  HAKOBU_ASSIGN_OR_RETURN(
      std::string zone,
      ZoneSql(expression.arguments.empty() ? nullptr : expression.arguments[0].get(), scope));
  std::string local = fmt::format("({} AT TIME ZONE {})", Now(), zone);
  if (type == Type::kDateTime) return Of(local, type);
  return Of(fmt::format("CAST({} AS {})", local, type == Type::kDate ? "DATE" : "TIME"), type);
}

ValueOr Translator::TimeConstructor(Type type, const Expression& expression, const Scope& scope) {
  std::vector<Value> values;
  for (const ExpressionPtr& argument : expression.arguments) {
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*argument, scope));
    values.push_back(std::move(value));
  }
  std::string name = Upper(expression.names.back());
  size_t count = values.size(), at = expression.at;
  auto refuse = [&] { return NoSignature(name, values, at); };
  if (count == 0) return refuse();
  bool integers = true;
  std::string list;
  for (Value& value : values) {
    std::optional<Value> number = Coerce(value, ScalarType(Type::kInt64));
    integers = integers && number && (IsScalar(value.type, Type::kInt64));
    if (integers) list += (list.empty() ? "" : ", ") + number->sql;
  }
  if (integers && type == Type::kDate && count == 3) return Of(fmt::format("bq_make_date({})", list), type);
  if (integers && type == Type::kTime && count == 3) return Of(fmt::format("bq_make_time({})", list), type);
  if (integers && type == Type::kDateTime && count == 6)
    return Of(fmt::format("bq_make_datetime({})", list), type);
  Type from = values[0].type.type;
  if (IsArray(values[0].type) || count > 2) return refuse();
  if (values[0].null_literal && count == 1) return NullValue(ScalarType(type));
  if (count == 1 && type != Type::kTimestamp) {
    if (from == Type::kString || from == Type::kDate || from == Type::kDateTime || from == Type::kTimestamp ||
        from == Type::kTime) {
      if (type == Type::kTime && from == Type::kDate) return refuse();
      if (type == Type::kDate && from == Type::kTime) return refuse();
      return CastTo(values[0], ScalarType(type), false, at);
    }
    return refuse();
  }
  if (type == Type::kDateTime && count == 2 && from == Type::kDate && IsScalar(values[1].type, Type::kTime)) {
    return Of(fmt::format("({} + {})", values[0].sql, values[1].sql), type);
  }
  std::string zone = "'UTC'";
  if (count == 2) {
    std::optional<Value> given = Coerce(values[1], ScalarType(Type::kString));
    if (!given) return refuse();
    zone = fmt::format("bq_zone({})", given->sql);
  }
  if (type != Type::kTimestamp) {  // of a TIMESTAMP in a zone
    if (from != Type::kTimestamp) return refuse();
    Value local = Of(WithZone(values[0], zone), Type::kDateTime);
    if (type == Type::kDateTime) return local;
    return CastTo(local, ScalarType(type), false, at);
  }
  if (from == Type::kTimestamp && count == 1) return values[0];
  if (from == Type::kString) return Of(fmt::format("bq_timestamp({}, {})", values[0].sql, zone), type);
  if (from == Type::kDate || from == Type::kDateTime) {
    return Of(fmt::format("(CAST({} AS TIMESTAMP) AT TIME ZONE {})", values[0].sql, zone), type);
  }
  return refuse();
}

ValueOr Translator::TimeShift(Type type, const std::string& name, const Expression& expression,
                              const Scope& scope) {
  if (expression.arguments.size() != 2 || expression.arguments[1]->kind != ExpressionKind::kInterval) {
    return Error(expression.at, fmt::format("{} needs a value and INTERVAL n part", name));
  }
  const Expression& interval = *expression.arguments[1];
  HAKOBU_ASSIGN_OR_RETURN(Value given, Expr(*expression.arguments[0], scope));
  // DATE_ADD also takes DATETIME and TIMESTAMP.
  if (type == Type::kDate &&
      (IsScalar(given.type, Type::kDateTime) || IsScalar(given.type, Type::kTimestamp)) && !given.literal) {
    type = given.type.type;
  }
  std::optional<Value> value = Coerce(given, ScalarType(type));
  if (!value) return NoSignature(name, {given}, expression.at);
  const std::string& part = interval.text;
  bool clock = IsClockPart(part), date = type == Type::kDate;
  bool fits = type == Type::kTime        ? clock
              : type == Type::kTimestamp ? clock || part == "DAY"
                                         : IntervalOf(1, part).has_value() && !(date && clock);
  if (!fits || !interval.text2.empty()) {
    return Error(interval.at, fmt::format("{} does not support the {} date part", name, part));
  }
  HAKOBU_ASSIGN_OR_RETURN(Value count,
                          ExprAs(*interval.arguments[0], scope, ScalarType(Type::kInt64), "INTERVAL value"));
  std::string_view sign = name.ends_with("_ADD") ? "+" : "-";
  if (clock) {
    std::string micros = fmt::format("to_microseconds({} * {}::BIGINT)", count.sql, ClockMicros(part));
    return Of(fmt::format("({} {} {})", value->sql, sign, micros), type);
  }
  if (type == Type::kTimestamp) {
    return Of(fmt::format("({} {} to_microseconds({} * 86400000000::BIGINT))", value->sql, sign, count.sql),
              type);
  }
  IntervalParts unit = *IntervalOf(1, part);
  std::string step = unit.months > 0
                         ? fmt::format("to_months(CAST({} * {} AS INTEGER))", count.sql, unit.months)
                         : fmt::format("to_days(CAST({} * {} AS INTEGER))", count.sql, unit.days);
  std::string sum = fmt::format("CAST({} {} {} AS {})", value->sql, sign, step, date ? "DATE" : "TIMESTAMP");
  return Of(date ? fmt::format("bq_date_in_range({})", sum) : sum, type);
}

ValueOr Translator::TimeDifference(Type type, const std::string& name, const Expression& expression,
                                   const Scope& scope) {
  if (expression.arguments.size() != 3)
    return Error(expression.at, "No matching signature for function " + name);
  HAKOBU_ASSIGN_OR_RETURN(Value a, Expr(*expression.arguments[0], scope));
  HAKOBU_ASSIGN_OR_RETURN(Value b, Expr(*expression.arguments[1], scope));
  std::string part = PartOf(*expression.arguments[2]);
  if (type == Type::kDate && (IsScalar(a.type, Type::kDateTime) || IsScalar(a.type, Type::kTimestamp)) &&
      !a.literal) {
    type = a.type.type;
  }
  std::optional<Value> to = Coerce(a, ScalarType(type)), from = Coerce(b, ScalarType(type));
  if (!to || !from) return NoSignature(name, {a, b}, expression.at);
  bool clock = IsClockPart(part);
  if (type == Type::kTimestamp) {  // whole units that have passed, not boundaries
    if (!clock && part != "DAY") {
      return Error(expression.at, fmt::format("{} does not support the {} date part", name, part));
    }
    int64_t unit = part == "DAY" ? 86'400'000'000 : ClockMicros(part);
    return Of(fmt::format("bq_div(epoch_us({}) - epoch_us({}), {}::BIGINT)", to->sql, from->sql, unit),
              Type::kInt64);
  }
  if (type == Type::kTime) {
    if (!clock) return Error(expression.at, fmt::format("{} does not support the {} date part", name, part));
    return Of(fmt::format("CAST(date_diff('{}', {}, {}) AS BIGINT)", Lower(part), from->sql, to->sql),
              Type::kInt64);
  }
  std::string sql = DifferenceSql(to->sql, from->sql, part, type == Type::kDate);
  if (sql.empty())
    return Error(expression.at, fmt::format("{} does not support the {} date part", name, part));
  return Of(sql, Type::kInt64);
}

ValueOr Translator::TimeTruncate(Type type, const std::string& name, const Expression& expression,
                                 const Scope& scope) {
  if (expression.arguments.size() < 2 || expression.arguments.size() > 3) {
    return Error(expression.at, "No matching signature for function " + name);
  }
  HAKOBU_ASSIGN_OR_RETURN(Value given, Expr(*expression.arguments[0], scope));
  if (type == Type::kDate &&
      (IsScalar(given.type, Type::kDateTime) || IsScalar(given.type, Type::kTimestamp)) && !given.literal) {
    type = given.type.type;
  }
  std::string part = PartOf(*expression.arguments[1]);
  std::optional<Value> value = Coerce(given, ScalarType(type));
  if (!value || (expression.arguments.size() == 3 && type != Type::kTimestamp)) {
    return NoSignature(name, {given}, expression.at);
  }
  std::string sql;
  if (type == Type::kTimestamp) {
    HAKOBU_ASSIGN_OR_RETURN(
        std::string zone,
        ZoneSql(expression.arguments.size() > 2 ? expression.arguments[2].get() : nullptr, scope));
    sql = TruncateSql(WithZone(*value, zone), part, false);
    if (!sql.empty()) sql = fmt::format("({} AT TIME ZONE {})", sql, zone);
  } else if (type == Type::kTime) {
    if (IsClockPart(part)) {
      sql = fmt::format("CAST(date_trunc('{}', DATE '1970-01-01' + {}) AS TIME)", Lower(part), value->sql);
    }
  } else {
    sql = TruncateSql(value->sql, part, type == Type::kDate);
  }
  if (sql.empty())
    return Error(expression.at, fmt::format("{} does not support the {} date part", name, part));
  return Of(sql, type);
}

ValueOr Translator::TimeFormat(Type type, const std::string& name, const Expression& expression,
                               const Scope& scope) {
  bool format = name.starts_with("FORMAT");
  size_t count = expression.arguments.size();
  if (count < 2 || count > (type == Type::kTimestamp ? 3U : 2U)) {
    return Error(expression.at, "No matching signature for function " + name);
  }
  HAKOBU_ASSIGN_OR_RETURN(Value pattern,
                          ExprAs(*expression.arguments[0], scope, ScalarType(Type::kString), "Format"));
  HAKOBU_ASSIGN_OR_RETURN(Value given, Expr(*expression.arguments[1], scope));
  HAKOBU_ASSIGN_OR_RETURN(std::string zone,
                          ZoneSql(count > 2 ? expression.arguments[2].get() : nullptr, scope));
  if (!format) {
    std::optional<Value> text = Coerce(given, ScalarType(Type::kString));
    if (!text) return NoSignature(name, {pattern, given}, expression.at);
    std::string parsed = fmt::format("bq_parse_time({}, {}, {})", pattern.sql, text->sql,
                                     type == Type::kTimestamp ? "true" : "false");
    switch (type) {
      case Type::kDate:
        return Of(fmt::format("CAST({} AS DATE)", parsed), type);
      case Type::kTime:
        return Of(fmt::format("CAST({} AS TIME)", parsed), type);
      case Type::kDateTime:
        return Of(parsed, type);
      default:  // with %z the offset is in the value already
        return Of(fmt::format(
                      "(CASE WHEN bq_has_offset({}) THEN {} AT TIME ZONE 'UTC' ELSE {} AT TIME ZONE {} END)",
                      pattern.sql, parsed, parsed, zone),
                  type);
    }
  }
  if (type == Type::kDate && (IsScalar(given.type, Type::kDateTime)) && !given.literal)
    type = Type::kDateTime;
  std::optional<Value> value = Coerce(given, ScalarType(type));
  if (!value) return NoSignature(name, {pattern, given}, expression.at);
  std::string local = type == Type::kTimestamp ? WithZone(*value, zone)
                      : type == Type::kTime    ? fmt::format("(DATE '1970-01-01' + {})", value->sql)
                                               : fmt::format("CAST({} AS TIMESTAMP)", value->sql);
  std::string offset = "0::BIGINT";
  if (type == Type::kTimestamp) {
    offset = fmt::format("CAST((epoch_us({}) - epoch_us({})) // 1000000 AS BIGINT)", local, value->sql);
  }
  return Of(fmt::format("bq_format_time({}, {}, {}, {})", pattern.sql, local, offset,
                        type == Type::kTimestamp ? zone : "''"),
            Type::kString);
}

ValueOr Translator::TimeArray(const std::string& name, const Expression& expression, const Scope& scope) {
  Type type = name == "GENERATE_DATE_ARRAY" ? Type::kDate : Type::kTimestamp;
  size_t count = expression.arguments.size();
  if (count < 2 || count > 3 || (count == 2 && type == Type::kTimestamp)) {
    return Error(expression.at, "No matching signature for function " + name);
  }
  HAKOBU_ASSIGN_OR_RETURN(Value from, ExprAs(*expression.arguments[0], scope, ScalarType(type), name));
  HAKOBU_ASSIGN_OR_RETURN(Value to, ExprAs(*expression.arguments[1], scope, ScalarType(type), name));
  std::string step = "INTERVAL 1 DAY";
  if (count == 3) {
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*expression.arguments[2], scope));
    if (!IsScalar(value.type, Type::kInterval)) return NoSignature(name, {from, to, value}, expression.at);
    step = fmt::format(
        "(CASE WHEN {0} = INTERVAL 0 DAY THEN error('Sequence step cannot be 0.') ELSE {0} END)", value.sql);
  }
  Value out;
  out.type = ArrayOf(ScalarType(type));
  std::string series = fmt::format("generate_series({}, {}, {})",
                                   type == Type::kDate ? "CAST(" + from.sql + " AS TIMESTAMP)" : from.sql,
                                   type == Type::kDate ? "CAST(" + to.sql + " AS TIMESTAMP)" : to.sql, step);
  out.sql = type == Type::kDate ? fmt::format("CAST({} AS DATE[])", series) : series;
  return out;
}

}  // namespace hakobu::localbq::sql
