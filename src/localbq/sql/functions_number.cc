// Arithmetic with BigQuery's errors, NUMERIC and BIGNUMERIC included.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "localbq/sql/lexer.h"
#include "localbq/sql/scalar_function.h"
#include "localbq/sql/translator.h"
#include "localbq/storage_api/numeric.h"

namespace hakobu::localbq::sql {
namespace {

ScaledInteger NumericAt(const Row& row, idx_t argument) {
  auto value = row.Get<duckdb_hugeint>(argument);
  return FromInt128(static_cast<__int128>(
      (static_cast<unsigned __int128>(static_cast<uint64_t>(value.upper)) << 64) | value.lower));
}

void SetNumeric(Row& row, const ScaledInteger& value) {
  __int128 number = ToInt128(value);
  row.Set(duckdb_hugeint{static_cast<uint64_t>(number), static_cast<int64_t>(number >> 64)});
}

ScaledInteger BigNumericAt(const Row& row, idx_t argument) {
  ScaledInteger value;
  FromDuckDbBignum(row.Text(argument), &value);
  return value;
}

void SetBigNumeric(Row& row, const ScaledInteger& value) {
  char bytes[40];
  row.SetText({bytes, ToDuckDbBignum(value, bytes)});
}

template <bool kDivide, int kScale>
ScaledInteger Combine(const ScaledInteger& a, const ScaledInteger& b) {
  const ScaledInteger& one = PowerOfTen(kScale);
  return kDivide ? DivideRounded(a * one, b) : DivideRounded(a * b, one);
}

template <bool kDivide>
void CombineNumeric(Row& row) {
  const ScaledInteger a = NumericAt(row, 0), b = NumericAt(row, 1);
  std::string_view sign = kDivide ? "/" : "*";
  if (kDivide && b.is_zero()) return row.Fail(fmt::format("division by zero: {} / 0", ToText(a, 9)));
  const ScaledInteger result = Combine<kDivide, 9>(a, b);
  if (!FitsNumeric(result)) {
    return row.Fail(fmt::format("numeric overflow: {} {} {}", ToText(a, 9), sign, ToText(b, 9)));
  }
  SetNumeric(row, result);
}

template <bool kDivide>
void CombineBigNumeric(Row& row) {
  const ScaledInteger a = BigNumericAt(row, 0), b = BigNumericAt(row, 1);
  std::string_view sign = kDivide ? "/" : "*";
  if (kDivide && b.is_zero()) return row.Fail(fmt::format("division by zero: {} / 0", ToText(a, 38)));
  const ScaledInteger result = Combine<kDivide, 38>(a, b);
  if (!FitsBigNumeric(result)) {
    return row.Fail(fmt::format("BIGNUMERIC overflow: {} {} {}", ToText(a, 38), sign, ToText(b, 38)));
  }
  SetBigNumeric(row, result);
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || (text.front() >= '\t' && text.front() <= '\r')))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || (text.back() >= '\t' && text.back() <= '\r')))
    text.remove_suffix(1);
  return text;
}

// DuckDB's BIGNUM knows no bounds.
void InBigNumeric(Row& row) {
  ScaledInteger value;
  if (!FromDuckDbBignum(row.Text(0), &value) || !FitsBigNumeric(value))
    return row.Fail("BIGNUMERIC overflow");
  row.SetText(row.Text(0));
}

void BigNumericOfText(Row& row) {
  ScaledInteger value;
  if (!ParseScaled(Trimmed(row.Text(0)), 38, &value) || !FitsBigNumeric(value)) {
    return row.Fail(fmt::format("Invalid BIGNUMERIC value: {}", row.Text(0)));
  }
  SetBigNumeric(row, value);
}

// Decimal text rounded half away from zero to so many digits after the point (or, negative, before it).
void DecimalText(Row& row) {
  int64_t digits = row.Get<int64_t>(1);
  ScaledInteger value;
  if (!ParseScaled(Trimmed(row.Text(0)), 38, &value)) {
    return row.Fail(fmt::format("Invalid NUMERIC value: {}", row.Text(0)));
  }
  if (digits < 0) {
    const ScaledInteger& power = PowerOfTen(static_cast<int>(std::min<int64_t>(38 - digits, 200)));
    value = DivideRounded(value, power) * power;
    if (!FitsBigNumeric(value)) return row.Fail("BIGNUMERIC overflow: ROUND");
  } else if (digits < 38) {
    RoundTo(38, static_cast<int>(digits), &value);
  }
  row.SetText(ToText(value, 38));
}

void RoundNumeric(Row& row) {
  int64_t digits = row.Get<int64_t>(1);
  ScaledInteger value = NumericAt(row, 0);
  if (digits < 9) {
    const ScaledInteger& power = PowerOfTen(static_cast<int>(std::min<int64_t>(9 - digits, 100)));
    value = DivideRounded(value, power) * power;
    if (!FitsNumeric(value)) return row.Fail("numeric overflow: ROUND");
  }
  SetNumeric(row, value);
}

void IntegerOfText(Row& row) {
  std::string_view text = Trimmed(row.Text(0));
  bool negative = text.starts_with('-');
  std::string_view digits = text.substr(negative || text.starts_with('+') ? 1 : 0);
  int base = digits.starts_with("0x") || digits.starts_with("0X") ? 16 : 10;
  if (base == 16) digits.remove_prefix(2);
  uint64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  uint64_t limit = (uint64_t{1} << 63) - (negative ? 0 : 1);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || value > limit) {
    return row.Fail(fmt::format("Bad int64 value: {}", row.Text(0)));
  }
  row.Set(static_cast<int64_t>(negative ? 0 - value : value));
}

void DoubleOfText(Row& row) {
  std::string text = Lower(Trimmed(row.Text(0)));
  std::string_view bare = text;
  if (bare.starts_with('+') || bare.starts_with('-')) bare.remove_prefix(1);
  double sign = text.starts_with('-') ? -1 : 1, value = 0;
  if (bare == "inf" || bare == "infinity") return row.Set(sign * INFINITY);
  if (bare == "nan") return row.Set(std::nan(""));
  auto [end, error] = std::from_chars(bare.data(), bare.data() + bare.size(), value);
  bool digit = !bare.empty() && (bare[0] == '.' || (bare[0] >= '0' && bare[0] <= '9'));
  if (!digit || error != std::errc() || end != bare.data() + bare.size()) {
    return row.Fail(fmt::format("Bad double value: {}", row.Text(0)));
  }
  row.Set(sign * value);
}

void DoubleText(Row& row) {
  auto value = row.Get<double>(0);
  if (std::isnan(value)) return row.SetText("NaN");
  if (std::isinf(value)) return row.SetText(value > 0 ? "inf" : "-inf");
  if (value == 0) return row.SetText("0");
  std::string text = fmt::format("{:.15g}", value);
  double back = 0;
  std::from_chars(text.data(), text.data() + text.size(), back);
  row.SetText(back == value ? text : fmt::format("{:.17g}", value));
}

void Divide(Row& row) {
  auto a = row.Get<double>(0), b = row.Get<double>(1);
  if (b == 0) return row.Fail(fmt::format("division by zero: {} / {}", a, b));
  double result = a / b;
  if (std::isinf(result) && !std::isinf(a)) return row.Fail(fmt::format("double overflow: {} / {}", a, b));
  row.Set(result);
}

void Finite(Row& row) {
  auto result = row.Get<double>(0), a = row.Get<double>(1), b = row.Get<double>(2);
  if (std::isinf(result) && !std::isinf(a) && !std::isinf(b)) {
    return row.Fail(fmt::format("double overflow: {} and {}", a, b));
  }
  row.Set(result);
}

void IntegerDivide(Row& row) {
  auto a = row.Get<int64_t>(0), b = row.Get<int64_t>(1);
  if (b == 0) return row.Fail(fmt::format("division by zero: {} / {}", a, b));
  if (a == INT64_MIN && b == -1) return row.Fail(fmt::format("int64 overflow: {} / {}", a, b));
  row.Set(a / b);
}

void Modulo(Row& row) {
  auto a = row.Get<int64_t>(0), b = row.Get<int64_t>(1);
  if (b == 0) return row.Fail(fmt::format("division by zero: MOD({}, {})", a, b));
  row.Set(b == -1 ? int64_t{0} : a % b);
}

void Shift(Row& row) {
  auto value = static_cast<uint64_t>(row.Get<int64_t>(0));
  auto by = row.Get<int64_t>(1);
  uint64_t shifted = by >= 64 || by <= -64 ? 0 : by >= 0 ? value << by : value >> -by;
  row.Set(static_cast<int64_t>(shifted));
}

void CompareDouble(Row& row) {
  auto a = row.Get<double>(0), b = row.Get<double>(1);
  std::string_view op = row.Text(2);
  row.Set(op == "="    ? a == b
          : op == "<>" ? a != b
          : op == "<"  ? a < b
          : op == "<=" ? a <= b
          : op == ">"  ? a > b
                       : a >= b);
}

}  // namespace

const ScalarFunction kNumberFunctions[] = {
    {"bq_multiply_numeric", "NNN", CombineNumeric<false>},
    {"bq_divide_numeric", "NNN", CombineNumeric<true>},
    {"bq_multiply_bignumeric", "GGG", CombineBigNumeric<false>},
    {"bq_divide_bignumeric", "GGG", CombineBigNumeric<true>},
    {"bq_bignumeric", "GS", BigNumericOfText},
    {"bq_in_bignumeric", "GG", InBigNumeric},
    {"bq_bignumeric_text", "SG", [](Row& row) { row.SetText(ToText(BigNumericAt(row, 0), 38)); }},
    {"bq_decimal_text", "SSI", DecimalText},
    {"bq_round_numeric", "NNI", RoundNumeric},
    {"bq_int64", "IS", IntegerOfText},
    {"bq_double", "FS", DoubleOfText},
    {"bq_double_text", "SF", DoubleText},
    {"bq_divide", "FFF", Divide},
    {"bq_finite", "FFFF", Finite},
    {"bq_ieee_divide", "FFF", [](Row& row) { row.Set(row.Get<double>(0) / row.Get<double>(1)); }},
    {"bq_div", "III", IntegerDivide},
    {"bq_mod", "III", Modulo},
    {"bq_shift", "III", Shift},
    {"bq_compare_double", "BFFS", CompareDouble},
};
const size_t kNumberFunctionCount = std::size(kNumberFunctions);

}  // namespace hakobu::localbq::sql
