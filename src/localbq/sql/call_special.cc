// Functions whose type follows from their arguments, or that need more than one line.
#include <fmt/format.h>

#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {
namespace {

// Capturing groups of an RE2 pattern.
int Groups(std::string_view pattern) {
  int groups = 0;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (in_class) {
      in_class = pattern[i] != ']';
    } else if (pattern[i] == '[') {
      in_class = true;
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') ++i;
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') ++i;
    } else if (pattern[i] == '(' && (i + 1 >= pattern.size() || pattern[i + 1] != '?' ||
                                     (i + 2 < pattern.size() && pattern[i + 2] == 'P'))) {
      ++groups;
    }
  }
  return groups;
}

// IF, NULLIF, IFNULL and COALESCE. nullopt: no type that all arguments could have.
std::optional<Value> Choice(std::string_view name, const std::vector<Value>& arguments) {
  const bool is_if = name == "IF";
  const std::vector<Value> values(arguments.begin() + (is_if ? 1 : 0), arguments.end());
  const std::optional<Column> type = Supertype(values);
  const std::optional<Value> condition = is_if ? Coerce(arguments[0], ScalarType(Type::kBool)) : std::nullopt;
  if (!type || (is_if && !condition)) return std::nullopt;
  std::vector<std::string> sql;
  for (const Value& value : values) sql.push_back(Coerce(value, *type)->sql);
  if (is_if)
    return Of(fmt::format("(CASE WHEN {} THEN {} ELSE {} END)", condition->sql, sql[0], sql[1]), *type);
  const std::string_view function = name == "NULLIF" ? "NULLIF" : "COALESCE";
  return Of(fmt::format("{}({})", function, fmt::join(sql, ", ")), *type);
}

// GREATEST and LEAST: NULL if any is; NaN wins, which DuckDB has as the greatest. nullopt: values without an
// order.
std::optional<Value> Extreme(const std::string& name, const std::vector<Value>& arguments) {
  const std::optional<Column> type = Supertype(arguments);
  if (!type || IsArray(*type) || type->type == Type::kRecord) return std::nullopt;
  std::string list, nulls, nans;
  for (const Value& argument : arguments) {
    const std::string sql = Coerce(argument, *type)->sql;
    list += (list.empty() ? "" : ", ") + sql;
    nulls += (nulls.empty() ? "" : " OR ") + sql + " IS NULL";
    nans += (nans.empty() ? "" : " OR ") + fmt::format("isnan({})", sql);
  }
  if (type->type == Type::kFloat64 && name == "LEAST") {
    return Of(fmt::format("(CASE WHEN {} THEN NULL WHEN {} THEN 'nan'::DOUBLE ELSE least({}) END)", nulls,
                          nans, list),
              *type);
  }
  return Of(fmt::format("(CASE WHEN {} THEN NULL ELSE {}({}) END)", nulls, Lower(name), list), *type);
}

// REGEXP_EXTRACT, REGEXP_SUBSTR and REGEXP_EXTRACT_ALL of a pattern with so many capturing groups (0 or 1).
Value ExtractOf(std::string_view name, std::string_view text, std::string_view pattern, int groups) {
  if (name == "REGEXP_EXTRACT_ALL") {
    return Of(fmt::format("regexp_extract_all({}, {}, {})", text, pattern, groups),
              ArrayOf(ScalarType(Type::kString)));
  }
  return Of(fmt::format("(CASE WHEN regexp_matches({0}, {1}) THEN regexp_extract({0}, {1}, {2}) END)", text,
                        pattern, groups),
            ScalarType(Type::kString));
}

}  // namespace

ValueOr Translator::SpecialCall(const std::string& name, const Expression& expression, const Scope& scope,
                                std::vector<Value>& arguments, bool& found) {
  found = true;
  size_t count = arguments.size(), at = expression.at;
  auto refuse = [&] { return NoSignature(name, arguments, at); };
  auto coerced = [&](size_t i, Type type) { return Coerce(arguments[i], ScalarType(type)); };
  if ((name == "IF" && count == 3) || (name == "NULLIF" && count == 2) || (name == "IFNULL" && count == 2) ||
      (name == "COALESCE" && count > 0)) {
    std::optional<Value> chosen = Choice(name, arguments);
    if (!chosen) return refuse();
    return *chosen;
  }
  if ((name == "GREATEST" || name == "LEAST") && count > 0) {
    std::optional<Value> extreme = Extreme(name, arguments);
    if (!extreme) return refuse();
    return *extreme;
  }
  if (name == "CONCAT" && count > 0) {
    for (Value& argument : arguments) {
      if (argument.null_literal || IsScalar(argument.type, Type::kString) ||
          IsScalar(argument.type, Type::kBytes))
        continue;
      if (IsArray(argument.type) || argument.type.type == Type::kRecord) return refuse();
      HAKOBU_ASSIGN_OR_RETURN(argument, CastTo(argument, ScalarType(Type::kString), false, at));
    }
    return Concat(arguments, at);
  }
  if (name == "ARRAY_CONCAT" && count > 0) {
    for (const Value& argument : arguments) {
      if (!IsArray(argument.type)) return refuse();
    }
    return Concat(arguments, at);
  }
  if (name == "ARRAY_INCLUDES" && count == 2 && IsArray(arguments[0].type)) {
    std::optional<Value> needle = Coerce(arguments[1], ElementOf(arguments[0].type));
    if (!needle) return refuse();
    return Of(fmt::format("list_contains({}, {})", arguments[0].sql, needle->sql), ScalarType(Type::kBool));
  }
  if (name == "ERROR" && count == 1) {
    std::optional<Value> text = coerced(0, Type::kString);
    if (!text) return refuse();
    Value out = Of(fmt::format("CAST(error({}) AS BIGINT)", text->sql), ScalarType(Type::kInt64));
    out.null_literal = false;
    return out;
  }
  if (name == "SESSION_USER" && count == 0) return TextValue(context_.session_user);
  if (name == "FORMAT" && count > 0) return FormatCall(arguments, at);
  if (name == "REGEXP_EXTRACT" || name == "REGEXP_SUBSTR" || name == "REGEXP_EXTRACT_ALL") {
    if (count > 2) return Error(at, name + " with position or occurrence is not supported");
    std::optional<Value> text = count == 2 ? coerced(0, Type::kString) : std::nullopt;
    std::optional<Value> pattern = count == 2 ? coerced(1, Type::kString) : std::nullopt;
    if (!text || !pattern) return refuse();
    if (!arguments[1].literal) {
      return Error(at, name + " with a pattern that is not a literal is not supported");
    }
    const int groups = Groups(arguments[1].text);
    if (groups > 1) return Error(at, "Regular expression has more than one capturing group");
    return ExtractOf(name, text->sql, pattern->sql, groups);
  }
  static_cast<void>(scope);
  found = false;
  return Value();
}

// FORMAT with the common verbs: %d %i %s %t %T (of strings and numbers) %f %.Nf %e %g %x %X %o %p refused,
// %%.
ValueOr Translator::FormatCall(std::vector<Value>& arguments, size_t at) {
  if (!arguments[0].literal || !IsScalar(arguments[0].type, Type::kString)) {
    return Error(at, "FORMAT with a format that is not a literal is not supported");
  }
  std::string_view format = arguments[0].text;
  std::vector<std::string> parts;
  std::string plain;
  size_t next = 1;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      plain += format[i];
      continue;
    }
    if (i + 1 < format.size() && format[i + 1] == '%') {
      plain += '%';
      ++i;
      continue;
    }
    size_t begin = ++i;
    while (i < format.size() &&
           std::string_view("-+ #0123456789.'").find(format[i]) != std::string_view::npos)
      ++i;
    std::string flags(format.substr(begin, i - begin));
    char verb = i < format.size() ? format[i] : '\0';
    if (next >= arguments.size())
      return Error(at, "Too few arguments to FORMAT for pattern " + std::string(format));
    Value& value = arguments[next++];
    std::string sql;
    if (flags.find('\'') != flags.npos || flags.find('*') != flags.npos) {
      return Error(at, fmt::format("FORMAT flag in %{}{} is not supported", flags, verb));
    }
    if ((verb == 'd' || verb == 'i' || verb == 'x' || verb == 'X' || verb == 'o') &&
        IsScalar(value.type, Type::kInt64)) {
      const std::string pattern = QuoteText(fmt::format("%{}{}", flags, verb == 'i' ? 'd' : verb));
      sql = fmt::format("printf({}, {})", pattern, value.sql);
      if (verb != 'd' && verb != 'i' && flags.empty())  // a sign, and no two's complement
        sql = fmt::format("(CASE WHEN {0} < 0 THEN '-' ELSE '' END || printf({1}, abs({0})))", value.sql,
                          pattern);
    } else if (std::string_view("feEgG").find(verb) != std::string_view::npos && verb != '\0' &&
               IsNumber(value.type)) {
      sql = fmt::format("printf({}, {})", QuoteText(fmt::format("%{}{}", flags, verb)),
                        Coerce(value, ScalarType(Type::kFloat64))->sql);
    } else if (verb == 's' && IsScalar(value.type, Type::kString)) {
      sql =
          flags.empty() ? value.sql : fmt::format("printf({}, {})", QuoteText("%" + flags + "s"), value.sql);
    } else if ((verb == 't' || verb == 'T') && flags.empty() && !IsArray(value.type) &&
               value.type.type != Type::kRecord) {
      bool quotes = verb == 'T' && value.type.type != Type::kInt64 && value.type.type != Type::kBool;
      if (quotes) return Error(at, "FORMAT verb %T of " + TypeText(value.type) + " is not supported");
      if (IsScalar(value.type, Type::kString)) {
        sql = value.sql;
      } else {
        HAKOBU_ASSIGN_OR_RETURN(Value text, CastTo(value, ScalarType(Type::kString), false, at));
        sql = text.sql;
        if (IsScalar(value.type, Type::kFloat64))
          sql = fmt::format("regexp_replace({}, '^(-?[0-9]+)$', '\\1.0')", sql);
      }
    } else {
      return Error(
          at, fmt::format("FORMAT verb %{}{} of {} is not supported", flags, verb, TypeText(value.type)));
    }
    if (!plain.empty()) parts.push_back(QuoteText(plain));
    plain.clear();
    parts.push_back(sql);
  }
  if (next != arguments.size())
    return Error(at, "Too many arguments to FORMAT for pattern " + std::string(format));
  if (!plain.empty() || parts.empty()) parts.push_back(QuoteText(plain));
  std::string sql;
  for (const std::string& part : parts) sql += (sql.empty() ? "(" : " || ") + part;
  return Of(sql + ")", ScalarType(Type::kString));
}

}  // namespace hakobu::localbq::sql
