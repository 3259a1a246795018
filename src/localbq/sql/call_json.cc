// JSON functions: https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/json_functions
#include <fmt/format.h>

#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {
namespace {

// JSONPath as BigQuery writes it ($.a."b c"['d'][0]) to DuckDB's; nullopt: not such a path.
std::optional<std::string> DuckDbPath(std::string_view path) {
  if (path.empty() || path[0] != '$') return std::nullopt;
  std::string out = "$";
  size_t i = 1;
  auto quoted = [&](char quote) -> bool {
    out += ".\"";
    size_t close = path.find(quote, ++i);
    if (close == path.npos) return false;
    std::string_view key = path.substr(i, close - i);
    if (key.find('"') != key.npos || key.find('*') != key.npos) return false;
    out += key;
    out += '"';
    i = close + 1;
    return true;
  };
  while (i < path.size()) {
    if (path[i] == '.') {
      ++i;
      if (i < path.size() && path[i] == '"') {
        if (!quoted('"')) return std::nullopt;
        continue;
      }
      size_t end = path.find_first_of(".[", i);
      std::string_view key = path.substr(i, end == path.npos ? path.npos : end - i);
      if (key.empty() || key.find_first_of("*\"' ") != key.npos) return std::nullopt;
      out += fmt::format(".\"{}\"", key);
      i += key.size();
    } else if (path[i] == '[') {
      ++i;
      if (i < path.size() && (path[i] == '\'' || path[i] == '"')) {
        if (!quoted(path[i])) return std::nullopt;
      } else {
        size_t begin = i;
        while (i < path.size() && path[i] >= '0' && path[i] <= '9') ++i;
        if (begin == i) return std::nullopt;
        out += fmt::format("[{}]", path.substr(begin, i - begin));
      }
      if (i >= path.size() || path[i++] != ']') return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace

ValueOr Translator::JsonCall(const std::string& name, const Expression& expression,
                             std::vector<Value>& arguments, bool& found) {
  found = true;
  size_t count = arguments.size(), at = expression.at;
  bool scalar = name == "JSON_VALUE" || name == "JSON_EXTRACT_SCALAR";
  bool query = name == "JSON_QUERY" || name == "JSON_EXTRACT";
  bool array = name == "JSON_QUERY_ARRAY" || name == "JSON_EXTRACT_ARRAY" || name == "JSON_VALUE_ARRAY" ||
               name == "JSON_EXTRACT_STRING_ARRAY";
  if (scalar || query || array) {
    if (count < 1 || count > 2) return NoSignature(name, arguments, at);
    std::string path = "$";
    if (count == 2) {
      if (!arguments[1].literal || !IsScalar(arguments[1].type, Type::kString)) {
        return Error(at, "JSONPath must be a string literal or query parameter");
      }
      std::optional<std::string> translated = DuckDbPath(arguments[1].text);
      if (!translated) return Error(at, fmt::format("Invalid JSONPath: {}", arguments[1].text));
      path = *translated;
    }
    bool text = IsScalar(arguments[0].type, Type::kString);
    if (!text && !IsScalar(arguments[0].type, Type::kJson)) return NoSignature(name, arguments, at);
    // A STRING that is no JSON gives NULL.
    std::string json = text ? fmt::format("TRY_CAST({} AS JSON)", arguments[0].sql) : arguments[0].sql;
    std::string at_path = fmt::format("json_extract({}, {})", json, QuoteText(path));
    std::string type = fmt::format("json_type({}, {})", json, QuoteText(path));
    if (scalar) {
      return Of(
          fmt::format(
              "(CASE WHEN {} IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL ELSE json_extract_string({}, {}) END)",
              type, json, QuoteText(path)),
          ScalarType(Type::kString));
    }
    if (query) {
      // In a STRING result a JSON null is SQL NULL; in a JSON result it stays.
      if (text) {
        return Of(
            fmt::format("(CASE WHEN {} = 'NULL' THEN NULL ELSE CAST({} AS VARCHAR) END)", type, at_path),
            ScalarType(Type::kString));
      }
      return Of(at_path, ScalarType(Type::kJson));
    }
    bool values = name == "JSON_VALUE_ARRAY" || name == "JSON_EXTRACT_STRING_ARRAY";
    std::string list = fmt::format("CAST({} AS JSON[])", at_path);
    std::string each =
        values ? fmt::format("list_transform({}, lambda \"_e\": json_extract_string(\"_e\", '$'))", list)
        : text ? fmt::format("CAST({} AS VARCHAR[])", list)
               : list;
    Type element = values || text ? Type::kString : Type::kJson;
    return Of(fmt::format("(CASE WHEN {} = 'ARRAY' THEN {} END)", type, each), ArrayOf(ScalarType(element)));
  }
  if (name == "PARSE_JSON") {
    std::optional<Value> text = count == 1 ? Coerce(arguments[0], ScalarType(Type::kString)) : std::nullopt;
    if (!text) return NoSignature(name, arguments, at);
    return Of(fmt::format("CAST(bq_parse_json_text({}) AS JSON)", text->sql), ScalarType(Type::kJson));
  }
  if (name == "TO_JSON_STRING" || name == "TO_JSON") {
    if (count != 1) return NoSignature(name, arguments, at);
    bool json = name == "TO_JSON";
    HAKOBU_ASSIGN_OR_RETURN(std::string sql, ToJsonSql(arguments[0], at));
    if (json) return Of(sql, ScalarType(Type::kJson));
    return Of(fmt::format("COALESCE(CAST({} AS VARCHAR), 'null')", sql), ScalarType(Type::kString));
  }
  found = false;
  return Value();
}

// Every type's JSON encoding, before DuckDB's to_json makes text of it.
absl::StatusOr<std::string> Translator::ToJsonSql(const Value& value, size_t at) {
  Column type = value.type;
  if (IsArray(type)) {
    Value element;
    element.sql = "\"_j\"";
    element.type = ElementOf(type);
    HAKOBU_ASSIGN_OR_RETURN(std::string inner, ToJsonSql(element, at));
    return fmt::format("to_json(list_transform({}, lambda \"_j\": {}))", value.sql, inner);
  }
  switch (type.type) {
    case Type::kRecord: {
      std::string pack;
      for (const Column& column : type.fields) {
        Value field;
        field.sql = fmt::format("struct_extract({}, {})", value.sql, QuoteText(column.name));
        field.type = column;
        HAKOBU_ASSIGN_OR_RETURN(std::string inner, ToJsonSql(field, at));
        pack += fmt::format("{}{}, {}", pack.empty() ? "" : ", ", QuoteText(column.name), inner);
      }
      return fmt::format("(CASE WHEN {} IS NOT NULL THEN json_object({}) END)", value.sql, pack);
    }
    case Type::kInt64:
      return fmt::format(
          "(CASE WHEN {} BETWEEN -9007199254740992 AND 9007199254740992 THEN to_json({}) "
          "ELSE to_json(CAST({} AS VARCHAR)) END)",
          value.sql, value.sql, value.sql);
    case Type::kBool:
      return fmt::format("to_json({})", value.sql);
    case Type::kJson:
      return value.sql;
    case Type::kFloat64:
      return fmt::format(
          "(CASE WHEN isfinite({}) THEN CAST(bq_double_text({}) AS JSON) ELSE to_json(CASE WHEN isnan({}) "
          "THEN "
          "'NaN' WHEN {} > 0 THEN 'Infinity' WHEN {} < 0 THEN '-Infinity' END) END)",
          value.sql, value.sql, value.sql, value.sql, value.sql);
    case Type::kNumeric:
      return fmt::format("CAST({} AS JSON)", "rtrim(rtrim(CAST(" + value.sql + " AS VARCHAR), '0'), '.')");
    case Type::kBigNumeric:
      return fmt::format("CAST(bq_bignumeric_text({}) AS JSON)", value.sql);
    case Type::kBytes:
      return fmt::format("to_json(to_base64({}))", value.sql);
    case Type::kTimestamp:
      return fmt::format("to_json(replace(bq_datetime_text({} AT TIME ZONE 'UTC'), ' ', 'T') || 'Z')",
                         value.sql);
    case Type::kDateTime:
      return fmt::format("to_json(replace(bq_datetime_text({}), ' ', 'T'))", value.sql);
    case Type::kRange:
      return Error(at, "TO_JSON of RANGE is not supported");
    default:
      break;
  }
  if (IsScalar(type, Type::kString) || IsScalar(type, Type::kGeography))
    return fmt::format("to_json({})", value.sql);
  HAKOBU_ASSIGN_OR_RETURN(Value text, CastTo(value, ScalarType(Type::kString), false, at));
  return fmt::format("to_json({})", text.sql);
}

}  // namespace hakobu::localbq::sql
