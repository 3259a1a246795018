// Literals of every type as DuckDB writes them.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "localbq/sql/civil.h"
#include "localbq/sql/interval.h"
#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {
namespace {

Value Literal(const Column& type, std::string sql, std::string_view text) {
  Value value;
  value.sql = std::move(sql);
  value.type = type;
  value.literal = true;
  value.text = text;
  return value;
}

std::string TimestampSql(const ParsedTimestamp& parsed) {
  if (!parsed.zone.empty()) {
    return fmt::format("(TIMESTAMP '{}' AT TIME ZONE {})", DateTimeText(parsed.civil),
                       QuoteText(parsed.zone));
  }
  CivilTime utc = CivilFromMicros(MicrosFromCivil(parsed.civil) - parsed.offset_seconds * 1'000'000);
  return fmt::format("TIMESTAMPTZ '{}+00'", DateTimeText(utc));
}

std::optional<std::string> FloatSql(std::string_view text) {
  std::string lower = Lower(text);
  std::string_view bare = lower;
  if (!bare.empty() && (bare[0] == '+' || bare[0] == '-')) bare.remove_prefix(1);
  if (bare == "inf" || bare == "infinity") return fmt::format("'{}inf'::DOUBLE", lower[0] == '-' ? "-" : "");
  if (bare == "nan") return "'nan'::DOUBLE";
  if (bare.empty() || (bare[0] != '.' && (bare[0] < '0' || bare[0] > '9'))) return std::nullopt;
  char* end = nullptr;
  double number = std::strtod(lower.c_str(), &end);
  if (*end != '\0' || lower.find('x') != lower.npos) return std::nullopt;
  return fmt::format("'{}'::DOUBLE", number);
}

std::optional<std::string> IntegerText(std::string_view text) {
  bool negative = text.starts_with('-');
  std::string digits(text.substr(negative || text.starts_with('+') ? 1 : 0));
  int base = digits.starts_with("0x") || digits.starts_with("0X") ? 16 : 10;
  if (base == 16) digits = digits.substr(2);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (base == 16 && (c | 0x20) >= 'a' && (c | 0x20) <= 'f');
      })) {
    return std::nullopt;
  }
  unsigned __int128 value = 0;
  for (char c : digits) {
    value = value * static_cast<unsigned>(base) +
            static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    if (value > (static_cast<unsigned __int128>(1) << 64)) return std::nullopt;
  }
  unsigned __int128 limit = (static_cast<unsigned __int128>(1) << 63) - (negative ? 0 : 1);
  if (value > limit) return std::nullopt;
  return fmt::format("{}{}", negative ? "-" : "", static_cast<uint64_t>(value));
}

}  // namespace

std::optional<std::string> ScaledDecimal(std::string_view text, int scale) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  std::string digits;
  int64_t exponent = 0;
  bool point = false, any = false;
  size_t i = 0;
  for (; i < text.size(); ++i) {
    char c = text[i];
    if (c >= '0' && c <= '9') {
      digits += c;
      any = true;
      if (point) --exponent;
    } else if (c == '.' && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (!any) return std::nullopt;
  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') return std::nullopt;
    std::string rest(text.substr(i + 1));
    char* end = nullptr;
    int64_t written = std::strtoll(rest.c_str(), &end, 10);
    if (rest.empty() || *end != '\0' || rest[0] == ' ' || std::abs(written) > 1000) return std::nullopt;
    exponent += written;
  }
  exponent += scale;
  bool round_up = false;
  if (exponent >= 0) {
    digits.append(static_cast<size_t>(std::min<int64_t>(exponent, 2000)), '0');
  } else {
    size_t cut = static_cast<size_t>(-exponent);
    if (cut > digits.size()) digits.insert(0, cut - digits.size(), '0');
    size_t keep = digits.size() - cut;
    round_up = cut > 0 && digits[keep] >= '5';
    digits.resize(keep);
  }
  if (round_up) {
    size_t at = digits.size();
    while (at > 0 && digits[at - 1] == '9') digits[--at] = '0';
    if (at > 0) {
      ++digits[at - 1];
    } else {
      digits.insert(0, 1, '1');
    }
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) return "0";
  return (negative ? "-" : "") + digits;
}

namespace {

std::optional<std::string> NumericSql(std::string_view text) {
  std::optional<std::string> scaled = ScaledDecimal(text, 9);
  if (!scaled) return std::nullopt;
  bool negative = scaled->starts_with('-');
  std::string digits = scaled->substr(negative ? 1 : 0);
  if (digits.size() > 38) return std::nullopt;
  if (digits.size() < 10) digits.insert(0, 10 - digits.size(), '0');
  digits.insert(digits.size() - 9, ".");
  return fmt::format("'{}{}'::DECIMAL(38,9)", negative ? "-" : "", digits);
}

std::optional<std::string> BigNumericSql(std::string_view text) {
  // +-5.7896044618658097711785492504343953926634992332820282019728792003956564819968e38
  static constexpr std::string_view kLimit =
      "57896044618658097711785492504343953926634992332820282019728792003956564819968";
  std::optional<std::string> scaled = ScaledDecimal(text, 38);
  if (!scaled) return std::nullopt;
  std::string_view digits = *scaled;
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  const bool beyond = digits.size() > kLimit.size() || (digits.size() == kLimit.size() && digits >= kLimit);
  if (beyond && !(negative && digits == kLimit)) return std::nullopt;
  return fmt::format("'{}'::BIGNUM", *scaled);
}

std::optional<std::string> LiteralSql(const Column& type, std::string_view text) {
  switch (type.type) {
    case Type::kInt64: {
      std::optional<std::string> number = IntegerText(text);
      if (!number) return std::nullopt;
      if (*number == "-9223372036854775808") return "'-9223372036854775808'::BIGINT";
      return number->starts_with('-') ? fmt::format("({})::BIGINT", *number) : *number + "::BIGINT";
    }
    case Type::kFloat64:
      return FloatSql(text);
    case Type::kBool: {
      std::string lower = Lower(text);
      if (lower != "true" && lower != "false") return std::nullopt;
      return lower;
    }
    case Type::kString:
      return QuoteText(text);
    case Type::kGeography:
      return QuoteText(text);
    case Type::kBytes: {
      std::string sql = "'";
      for (char c : text) sql += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
      return sql + "'::BLOB";
    }
    case Type::kNumeric:
      return NumericSql(text);
    case Type::kBigNumeric:
      return BigNumericSql(text);
    case Type::kDate: {
      std::optional<CivilTime> civil = ParseDate(text);
      if (!civil) return std::nullopt;
      return fmt::format("DATE '{}'", DateText(*civil));
    }
    case Type::kDateTime: {
      std::optional<CivilTime> civil = ParseDateTime(text);
      if (!civil) return std::nullopt;
      return fmt::format("TIMESTAMP '{}'", DateTimeText(*civil));
    }
    case Type::kTime: {
      std::optional<CivilTime> civil = ParseTime(text);
      if (!civil) return std::nullopt;
      return fmt::format("TIME '{}'", TimeText(*civil));
    }
    case Type::kTimestamp: {
      std::optional<ParsedTimestamp> parsed = ParseTimestamp(text);
      if (!parsed) return std::nullopt;
      return TimestampSql(*parsed);
    }
    case Type::kJson:
      return fmt::format("CAST(bq_parse_json_text({}) AS JSON)", QuoteText(text));
    case Type::kInterval: {
      std::optional<IntervalParts> parts = ParseInterval(text);
      if (!parts) return std::nullopt;
      return IntervalSql(*parts);
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<Value> TypedLiteral(const Column& type, std::string_view text) {
  if (IsArray(type)) return std::nullopt;
  std::optional<std::string> sql = LiteralSql(type, text);
  if (!sql) return std::nullopt;
  return Literal(type, *sql, text);
}

Value IntegerValue(int64_t value) {
  return *TypedLiteral(ScalarType(Type::kInt64), fmt::format("{}", value));
}

Value TextValue(std::string_view text) {
  return Literal(ScalarType(Type::kString), QuoteText(text), text);
}

Value NullValue(const Column& type) {
  Value value;
  value.type = type;
  value.sql = fmt::format("CAST(NULL AS {})", DuckDbType(type));
  return value;
}

}  // namespace hakobu::localbq::sql
