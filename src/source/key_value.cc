#include "source/key_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "source/civil_text.h"
#include "source/string_middle.h"

namespace hakobu {
namespace {

enum class Form { kNumber, kReal, kString, kTemporal, kNone };

Form FormOf(const SourceColumn& column) {
  switch (column.type) {
    case SourceType::kTinyInt:
    case SourceType::kSmallInt:
    case SourceType::kMediumInt:
    case SourceType::kInt:
    case SourceType::kBigInt:
    case SourceType::kDecimal:
    case SourceType::kBit:
    case SourceType::kYear:
      return Form::kNumber;
    case SourceType::kFloat:
    case SourceType::kDouble:
      return Form::kReal;
    case SourceType::kChar:
    case SourceType::kVarchar:
      // MariaDB's uuid and inet types look like text, but have an order of their own.
      return column.collation.empty() ? Form::kNone : Form::kString;
    case SourceType::kBinary:
    case SourceType::kVarbinary:
      return Form::kString;
    case SourceType::kDate:
    case SourceType::kDateTime:
    case SourceType::kTimestamp:
    case SourceType::kTime:
      return Form::kTemporal;
    default:
      return Form::kNone;  // ENUM and SET too: they sort by number, but the server compares them as text
  }
}

bool ConsistsOf(std::string_view value, std::string_view allowed) {
  return !value.empty() && value.find_first_not_of(allowed) == value.npos;
}

absl::Status WrongValue(const SourceColumn& column, std::string_view value) {
  return absl::InvalidArgumentError(
      fmt::format("chunk bound: column {} is {}, found '{}'", column.name, column.declared, value));
}

template <typename Number>
std::optional<Number> Parse(std::string_view text) {
  Number number{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::string> IntegerMiddle(std::string_view low, std::string_view high) {
  using Wide = __int128;
  const auto parse = [](std::string_view text) -> std::optional<Wide> {
    if (const auto small = Parse<int64_t>(text)) return *small;
    if (const auto large = Parse<uint64_t>(text)) return *large;
    return std::nullopt;
  };
  const auto a = parse(low);
  const auto b = parse(high);
  if (!a || !b || *b - *a < 2) return std::nullopt;
  const Wide middle = *a + (*b - *a) / 2;
  return middle < 0 ? fmt::format("{}", static_cast<int64_t>(middle))
                    : fmt::format("{}", static_cast<uint64_t>(middle));
}

std::optional<std::string> RealMiddle(std::string_view low, std::string_view high) {
  const auto a = Parse<double>(low);
  const auto b = Parse<double>(high);
  if (!a || !b) return std::nullopt;
  const double middle = *a / 2 + *b / 2;
  if (!std::isfinite(middle) || middle <= *a || middle >= *b) return std::nullopt;
  return fmt::format("{:e}", middle);
}

// Near enough to probe with; the digits a long double lacks do not matter.
std::optional<std::string> DecimalMiddle(const SourceColumn& column, std::string_view low,
                                         std::string_view high) {
  const auto a = Parse<long double>(low);
  const auto b = Parse<long double>(high);
  if (!a || !b) return std::nullopt;
  const std::string middle = fmt::format("{:.{}f}", *a / 2 + *b / 2, column.scale);
  if (middle == low || middle == high) return std::nullopt;
  return middle;
}

std::optional<std::string> TemporalMiddle(const SourceColumn& column, std::string_view low,
                                          std::string_view high) {
  const auto a = CivilNumber(column.type, low);
  const auto b = CivilNumber(column.type, high);
  if (!a || !b || *b - *a < 2) return std::nullopt;
  const std::string middle = CivilText(column.type, *a + (*b - *a) / 2, column.fraction);
  if (middle == low || middle == high) return std::nullopt;
  return middle;
}

}  // namespace

bool IsRangeable(const SourceColumn& column) {
  return FormOf(column) != Form::kNone;
}

std::string KeyExpression(const SourceColumn& column) {
  const std::string name = QuoteIdentifier(column.name);
  switch (FormOf(column)) {
    case Form::kReal:
      return name + " + 0e0";  // a FLOAT by itself is printed with six digits
    case Form::kString:
      return fmt::format("HEX({})", name);
    case Form::kNumber: {
      const bool numeric = column.type <= SourceType::kDecimal;
      return numeric ? name : name + " + 0";
    }
    default:
      return name;
  }
}

absl::StatusOr<std::string> KeyLiteral(const SourceColumn& column, std::string_view value) {
  switch (FormOf(column)) {
    case Form::kNumber:
      if (!ConsistsOf(value, "-.0123456789")) return WrongValue(column, value);
      return std::string(value);
    case Form::kReal:
      if (!ConsistsOf(value, "-+.e0123456789")) return WrongValue(column, value);
      // With an exponent it is a DOUBLE literal, without one a DECIMAL.
      return value.find('e') == value.npos ? fmt::format("{}e0", value) : std::string(value);
    case Form::kString: {
      if (!value.empty() && !ConsistsOf(value, "0123456789ABCDEF")) return WrongValue(column, value);
      const bool binary = column.type == SourceType::kBinary || column.type == SourceType::kVarbinary;
      return binary ? fmt::format("X'{}'", value) : fmt::format("_{} X'{}'", column.charset, value);
    }
    case Form::kTemporal:
      if (!ConsistsOf(value, "-:. 0123456789")) return WrongValue(column, value);
      return fmt::format("'{}'", value);
    default:
      return WrongValue(column, value);
  }
}

std::optional<std::string> KeyMiddle(const SourceColumn& column, std::string_view low,
                                     std::string_view high) {
  switch (FormOf(column)) {
    case Form::kNumber:
      return column.type == SourceType::kDecimal ? DecimalMiddle(column, low, high)
                                                 : IntegerMiddle(low, high);
    case Form::kReal:
      return RealMiddle(low, high);
    case Form::kString:
      return StringMiddle(column, low, high);
    case Form::kTemporal:
      return TemporalMiddle(column, low, high);
    default:
      return std::nullopt;
  }
}

}  // namespace hakobu
