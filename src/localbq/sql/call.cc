// Function calls: dispatch, and the functions that are one line of DuckDB.
#include <fmt/format.h>

#include <unordered_map>

#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {
namespace {

// `signature`: the result's letter, then the arguments'. I INT64, F FLOAT64, B BOOL, S STRING, Y BYTES, N
// NUMERIC, G BIGNUMERIC, D DATE, T DATETIME, M TIME, Z TIMESTAMP, J JSON, V INTERVAL; X any (the same each
// time), A array of X. The first signature that fits without conversion wins, then the first that fits at
// all.
struct Simple {
  std::string_view name, signature, sql;
};

#define HAKOBU_SPACES                                                                                        \
  "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(133) || chr(160) || chr(5760) || "       \
  "chr(8192) || "                                                                                            \
  "chr(8193) || chr(8194) || chr(8195) || chr(8196) || chr(8197) || chr(8198) || chr(8199) || chr(8200) || " \
  "chr(8201) || "                                                                                            \
  "chr(8202) || chr(8232) || chr(8233) || chr(8239) || chr(8287) || chr(12288)"

constexpr Simple kSimple[] = {
    // strings
    {"UPPER", "SS", "upper(replace($1, 'ß', 'SS'))"},
    {"LOWER", "SS", "lower($1)"},
    {"LENGTH", "IS", "length($1)"},
    {"LENGTH", "IY", "octet_length($1)"},
    {"CHAR_LENGTH", "IS", "length($1)"},
    {"CHARACTER_LENGTH", "IS", "length($1)"},
    {"BYTE_LENGTH", "IS", "strlen($1)"},
    {"BYTE_LENGTH", "IY", "octet_length($1)"},
    {"OCTET_LENGTH", "IS", "strlen($1)"},
    {"OCTET_LENGTH", "IY", "octet_length($1)"},
    {"TRIM", "SS", "trim($1, " HAKOBU_SPACES ")"},
    {"TRIM", "SSS", "trim($1, $2)"},
    {"LTRIM", "SS", "ltrim($1, " HAKOBU_SPACES ")"},
    {"LTRIM", "SSS", "ltrim($1, $2)"},
    {"RTRIM", "SS", "rtrim($1, " HAKOBU_SPACES ")"},
    {"RTRIM", "SSS", "rtrim($1, $2)"},
    {"SUBSTR", "SSI", "bq_substr($1, $2, 9223372036854775807)"},
    {"SUBSTR", "SSII", "bq_substr($1, $2, $3)"},
    {"SUBSTR", "YYI", "bq_substr_bytes($1, $2, 9223372036854775807)"},
    {"SUBSTR", "YYII", "bq_substr_bytes($1, $2, $3)"},
    {"SUBSTRING", "SSI", "bq_substr($1, $2, 9223372036854775807)"},
    {"SUBSTRING", "SSII", "bq_substr($1, $2, $3)"},
    {"LEFT", "SSI", "bq_substr($1, 1, $2)"},
    {"LEFT", "YYI", "bq_substr_bytes($1, 1, $2)"},
    {"RIGHT", "SSI",
     "right($1, CASE WHEN $2 < 0 THEN error('Length for RIGHT() cannot be negative') ELSE $2 END)"},
    {"REPLACE", "SSSS", "bq_replace($1, $2, $3)"},
    {"REVERSE", "SS", "reverse($1)"},
    {"REPEAT", "SSI", "bq_repeat($1, $2)"},
    {"LPAD", "SSI", "bq_lpad($1, $2, ' ')"},
    {"LPAD", "SSIS", "bq_lpad($1, $2, $3)"},
    {"RPAD", "SSI", "bq_rpad($1, $2, ' ')"},
    {"RPAD", "SSIS", "bq_rpad($1, $2, $3)"},
    {"STARTS_WITH", "BSS", "starts_with($1, $2)"},
    {"ENDS_WITH", "BSS", "suffix($1, $2)"},
    {"STRPOS", "ISS", "strpos($1, $2)"},
    {"INSTR", "ISS", "strpos($1, $2)"},
    {"TRANSLATE", "SSSS", "translate($1, $2, $3)"},
    {"ASCII", "IS", "CAST(ascii($1) AS BIGINT)"},
    {"UNICODE", "IS", "CAST((CASE WHEN $1 = '' THEN 0 ELSE unicode($1) END) AS BIGINT)"},
    {"CHR", "SI", "chr(CAST($1 AS INTEGER))"},
    {"NORMALIZE", "SS", "nfc_normalize($1)"},
    {"TO_HEX", "SY", "lower(hex($1))"},
    {"FROM_HEX", "YS", "unhex($1)"},
    {"TO_BASE64", "SY", "to_base64($1)"},
    {"FROM_BASE64", "YS", "from_base64($1)"},
    {"SAFE_CONVERT_BYTES_TO_STRING", "SY", "bq_safe_text($1)"},
    {"TO_CODE_POINTS", "iS",
     "list_transform(string_split($1, ''), lambda \"_e\": CAST(unicode(\"_e\") AS BIGINT))"},
    {"CODE_POINTS_TO_STRING", "Si",
     "(CASE WHEN len($1) = list_count($1) THEN array_to_string(list_transform($1, lambda \"_e\": "
     "chr(CAST(\"_e\" AS INTEGER))), '') END)"},
    {"SPLIT", "sS", "string_split($1, ',')"},
    {"SPLIT", "sSS", "string_split($1, $2)"},
    {"REGEXP_CONTAINS", "BSS", "regexp_matches($1, $2)"},
    {"REGEXP_REPLACE", "SSSS", "regexp_replace($1, $2, $3, 'g')"},
    {"EDIT_DISTANCE", "ISS", "bq_edit_distance($1, $2)"},
    // hashes
    {"MD5", "YS", "unhex(md5($1))"},
    {"MD5", "YY", "unhex(md5($1))"},
    {"SHA1", "YS", "unhex(sha1($1))"},
    {"SHA1", "YY", "unhex(sha1($1))"},
    {"SHA256", "YS", "unhex(sha256($1))"},
    {"SHA256", "YY", "unhex(sha256($1))"},
    {"SHA512", "YS", "bq_sha512(encode($1))"},
    {"SHA512", "YY", "bq_sha512($1)"},
    {"FARM_FINGERPRINT", "IS", "bq_farm_fingerprint(encode($1))"},
    {"FARM_FINGERPRINT", "IY", "bq_farm_fingerprint($1)"},
    // numbers
    {"ABS", "II", "abs($1)"},
    {"ABS", "NN", "abs($1)"},
    {"ABS", "GG", "bq_in_bignumeric(CASE WHEN $1 < '0'::BIGNUM THEN - $1 ELSE $1 END)"},
    {"ABS", "FF", "abs($1)"},
    {"SIGN", "II", "CAST(sign($1) AS BIGINT)"},
    {"SIGN", "NN", "CAST(sign($1) AS DECIMAL(38,9))"},
    {"SIGN", "FF", "(CASE WHEN isnan($1) THEN $1 ELSE CAST(sign($1) AS DOUBLE) END)"},
    {"ROUND", "NN", "CAST(round($1, 0) AS DECIMAL(38,9))"},
    {"ROUND", "NNI", "bq_round_numeric($1, $2)"},
    {"ROUND", "GG", "bq_bignumeric(bq_decimal_text(bq_bignumeric_text($1), 0))"},
    {"ROUND", "GGI", "bq_bignumeric(bq_decimal_text(bq_bignumeric_text($1), $2))"},
    {"ROUND", "FF", "round($1)"},
    {"ROUND", "FFI", "round($1, CAST($2 AS INTEGER))"},
    {"TRUNC", "NN", "CAST(trunc($1) AS DECIMAL(38,9))"},
    {"TRUNC", "FF", "trunc($1)"},
    {"CEIL", "NN", "CAST(ceil($1) AS DECIMAL(38,9))"},
    {"CEIL", "FF", "ceil($1)"},
    {"CEILING", "NN", "CAST(ceil($1) AS DECIMAL(38,9))"},
    {"CEILING", "FF", "ceil($1)"},
    {"FLOOR", "NN", "CAST(floor($1) AS DECIMAL(38,9))"},
    {"FLOOR", "FF", "floor($1)"},
    {"SQRT", "FF", "sqrt($1)"},
    {"CBRT", "FF", "cbrt($1)"},
    {"POW", "FFF", "pow($1, $2)"},
    {"POWER", "FFF", "pow($1, $2)"},
    {"EXP", "FF", "exp($1)"},
    {"LN", "FF", "ln($1)"},
    {"LOG", "FF", "ln($1)"},
    {"LOG", "FFF", "(ln($1) / ln($2))"},
    {"LOG10", "FF", "log10($1)"},
    {"SIN", "FF", "sin($1)"},
    {"COS", "FF", "cos($1)"},
    {"TAN", "FF", "tan($1)"},
    {"ASIN", "FF", "asin($1)"},
    {"ACOS", "FF", "acos($1)"},
    {"ATAN", "FF", "atan($1)"},
    {"ATAN2", "FFF", "atan2($1, $2)"},
    {"IS_NAN", "BF", "isnan($1)"},
    {"IS_INF", "BF", "isinf($1)"},
    {"RAND", "F", "random()"},
    {"DIV", "III", "bq_div($1, $2)"},
    {"DIV", "NNN", "CAST(trunc(bq_divide_numeric($1, $2)) AS DECIMAL(38,9))"},
    {"MOD", "III", "bq_mod($1, $2)"},
    {"MOD", "NNN",
     "CAST((CASE WHEN $2 = 0 THEN error('division by zero: MOD') ELSE $1 % $2 END) AS DECIMAL(38,9))"},
    {"SAFE_DIVIDE", "NNN", "(CASE WHEN $2 <> 0 THEN TRY(bq_divide_numeric($1, $2)) END)"},
    {"SAFE_DIVIDE", "FFF", "(CASE WHEN $2 <> 0 AND NOT (isinf($1 / $2) AND isfinite($1)) THEN $1 / $2 END)"},
    {"IEEE_DIVIDE", "FFF", "bq_ieee_divide($1, $2)"},
    {"SAFE_ADD", "III", "TRY($1 + $2)"},
    {"SAFE_ADD", "NNN", "TRY(CAST($1 + $2 AS DECIMAL(38,9)))"},
    {"SAFE_ADD", "FFF",
     "(CASE WHEN NOT (isinf($1 + $2) AND isfinite($1) AND isfinite($2)) THEN $1 + $2 END)"},
    {"SAFE_SUBTRACT", "III", "TRY($1 - $2)"},
    {"SAFE_SUBTRACT", "NNN", "TRY(CAST($1 - $2 AS DECIMAL(38,9)))"},
    {"SAFE_SUBTRACT", "FFF",
     "(CASE WHEN NOT (isinf($1 - $2) AND isfinite($1) AND isfinite($2)) THEN $1 - $2 END)"},
    {"SAFE_MULTIPLY", "III", "TRY($1 * $2)"},
    {"SAFE_MULTIPLY", "NNN", "TRY(bq_multiply_numeric($1, $2))"},
    {"SAFE_MULTIPLY", "FFF",
     "(CASE WHEN NOT (isinf($1 * $2) AND isfinite($1) AND isfinite($2)) THEN $1 * $2 END)"},
    {"SAFE_NEGATE", "II", "TRY(- $1)"},
    {"SAFE_NEGATE", "NN", "(- $1)"},
    {"SAFE_NEGATE", "FF", "(- $1)"},
    {"BIT_COUNT", "II", "CAST(bit_count($1) AS BIGINT)"},
    // arrays
    {"ARRAY_LENGTH", "IA", "CAST(len($1) AS BIGINT)"},
    {"ARRAY_REVERSE", "AA", "list_reverse($1)"},
    {"ARRAY_FIRST", "XA",
     "(CASE WHEN len($1) = 0 THEN error('ARRAY_FIRST cannot get the first element of an empty array') "
     "ELSE list_extract($1, 1) END)"},
    {"ARRAY_LAST", "XA",
     "(CASE WHEN len($1) = 0 THEN error('ARRAY_LAST cannot get the last element of an empty array') "
     "ELSE list_extract($1, -1) END)"},
    {"ARRAY_TO_STRING", "SsS", "array_to_string($1, $2)"},
    {"ARRAY_TO_STRING", "SsSS",
     "array_to_string(list_transform($1, lambda \"_e\": COALESCE(\"_e\", $3)), $2)"},
    {"GENERATE_ARRAY", "iII", "generate_series($1, $2)"},
    {"GENERATE_ARRAY", "iIII",
     "generate_series($1, $2, CASE WHEN $3 = 0 THEN error('Sequence step cannot be 0.') ELSE $3 END)"},
    // json
    {"BOOL", "BJ", "bq_json_bool($1)"},
    {"INT64", "IJ", "bq_json_int64($1)"},
    {"FLOAT64", "FJ", "bq_json_float64($1)"},
    {"STRING", "SJ", "bq_json_string($1)"},
    {"JSON_TYPE", "SJ", "bq_json_type($1)"},
    // others
    {"GENERATE_UUID", "S", "CAST(uuid() AS VARCHAR)"},
    {"ST_GEOGFROMTEXT", "gS", "$1"},
    {"ST_ASTEXT", "Sg", "$1"},
};

std::optional<Column> OfLetter(char letter) {
  switch (letter) {
    case 'I':
      return ScalarType(Type::kInt64);
    case 'F':
      return ScalarType(Type::kFloat64);
    case 'B':
      return ScalarType(Type::kBool);
    case 'S':
      return ScalarType(Type::kString);
    case 'Y':
      return ScalarType(Type::kBytes);
    case 'N':
      return ScalarType(Type::kNumeric);
    case 'G':
      return ScalarType(Type::kBigNumeric);
    case 'D':
      return ScalarType(Type::kDate);
    case 'T':
      return ScalarType(Type::kDateTime);
    case 'M':
      return ScalarType(Type::kTime);
    case 'Z':
      return ScalarType(Type::kTimestamp);
    case 'J':
      return ScalarType(Type::kJson);
    case 'V':
      return ScalarType(Type::kInterval);
    case 'g':
      return ScalarType(Type::kGeography);
    case 'i':
      return ArrayOf(ScalarType(Type::kInt64));
    case 's':
      return ArrayOf(ScalarType(Type::kString));
    default:
      return std::nullopt;
  }
}

// The arguments as `signature` takes them; nullopt when they do not fit (or, with `exact`, would be
// converted).
std::optional<std::vector<Value>> Fit(std::string_view signature, const std::vector<Value>& arguments,
                                      bool exact, Column& any) {
  if (signature.size() != arguments.size() + 1) return std::nullopt;
  std::vector<Value> fitted;
  for (size_t i = 0; i < arguments.size(); ++i) {
    char letter = signature[i + 1];
    const Value& given = arguments[i];
    std::optional<Column> type = OfLetter(letter);
    if (letter == 'A') {
      if (!IsArray(given.type)) return std::nullopt;
      any = ElementOf(given.type);
      type = given.type;
    } else if (letter == 'X') {
      any = given.type;
      type = given.type;
    }
    if (exact && !given.null_literal && !SameType(given.type, *type)) return std::nullopt;
    std::optional<Value> coerced = Coerce(given, *type);
    if (!coerced) return std::nullopt;
    fitted.push_back(*coerced);
  }
  return fitted;
}

std::string Fill(std::string_view pattern, const std::vector<Value>& arguments) {
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '$' && i + 1 < pattern.size() && pattern[i + 1] >= '1' && pattern[i + 1] <= '9') {
      out += arguments[static_cast<size_t>(pattern[++i] - '1')].sql;
    } else {
      out += pattern[i];
    }
  }
  return out;
}

}  // namespace

ValueOr Translator::CallSimple(const std::string& name, std::vector<Value>& arguments, size_t at,
                               bool& found) {
  static const auto& by_name = *[] {
    auto* index = new std::unordered_multimap<std::string_view, size_t>;
    for (size_t i = 0; i < std::size(kSimple); ++i) index->emplace(kSimple[i].name, i);
    return index;
  }();
  auto [begin, end] = by_name.equal_range(name);
  found = begin != end;
  if (!found) return Value();
  std::vector<size_t> order;
  for (auto it = begin; it != end; ++it) order.push_back(it->second);
  std::sort(order.begin(), order.end());
  // Without a NUMERIC among the arguments, INT64 becomes FLOAT64 where both would do.
  bool decimal = false;
  for (const Value& argument : arguments) {
    decimal =
        decimal || IsScalar(argument.type, Type::kNumeric) || IsScalar(argument.type, Type::kBigNumeric);
  }
  for (int pass = decimal ? 1 : 0; pass < 3; ++pass) {
    bool exact = pass == (decimal ? 1 : 0);
    for (size_t index : order) {
      const Simple& simple = kSimple[index];
      if (pass == 1 && !decimal && simple.signature.find_first_of("NG", 1) != std::string_view::npos)
        continue;
      Column any;
      std::optional<std::vector<Value>> fitted = Fit(simple.signature, arguments, exact, any);
      if (!fitted) continue;
      Value out;
      char letter = simple.signature[0];
      out.type = letter == 'A' ? ArrayOf(any) : letter == 'X' ? any : *OfLetter(letter);
      out.type.name.clear();
      out.sql = Fill(simple.sql, *fitted);
      return out;
    }
  }
  return NoSignature(name, arguments, at);
}

ValueOr Translator::Call(const Expression& expression, const Scope& scope) {
  std::string name;
  bool safe = expression.names.size() == 2 && EqualsIgnoreCase(expression.names[0], "SAFE");
  for (size_t i = safe ? 1 : 0; i < expression.names.size(); ++i)
    name += (name.empty() ? "" : ".") + expression.names[i];
  if (name.starts_with("NET.") || name.starts_with("net.")) safe = false;
  std::string upper = Upper(name);
  if (safe && (expression.over || IsAggregate(upper))) {
    return Error(expression.at, "SAFE. is not supported on aggregate and window functions: " + upper);
  }
  HAKOBU_ASSIGN_OR_RETURN(Value value, CallNamed(upper, expression, scope));
  if (safe) {
    value.sql = fmt::format("TRY({})", value.sql);
  }
  value.literal = false;
  return value;
}

ValueOr Translator::CallNamed(const std::string& name, const Expression& expression, const Scope& scope) {
  bool found = false;
  ValueOr value = WindowCall(name, expression, scope, found);
  if (found) return value;
  value = Aggregate(name, expression, scope, found);
  if (found) return value;
  if (expression.over) {
    return Error(expression.at, fmt::format("Function {} does not support an OVER clause", name));
  }
  if (expression.distinct || !expression.order.empty() || expression.limit || expression.ignore_nulls) {
    return Error(expression.at,
                 fmt::format("Function {} does not support DISTINCT, ORDER BY, LIMIT or IGNORE NULLS", name));
  }
  value = TimeCall(name, expression, scope, found);
  if (found) return value;
  std::vector<Value> arguments;
  for (const ExpressionPtr& argument : expression.arguments) {
    if (argument->kind == ExpressionKind::kUnary && argument->text == "=>") {
      return Error(argument->at,
                   fmt::format("Named argument {} of {} is not supported", argument->names[0], name));
    }
    // NORMALIZE's mode and similar bare words
    HAKOBU_ASSIGN_OR_RETURN(Value argument_value, Expr(*argument, scope));
    arguments.push_back(std::move(argument_value));
  }
  value = SpecialCall(name, expression, scope, arguments, found);
  if (found) return value;
  value = JsonCall(name, expression, arguments, found);
  if (found) return value;
  value = CallSimple(name, arguments, expression.at, found);
  if (found) return value;
  return Error(expression.at, "Function not found: " + name);
}

}  // namespace hakobu::localbq::sql
