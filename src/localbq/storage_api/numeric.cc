#include "localbq/storage_api/numeric.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace hakobu::localbq {
namespace {

constexpr uint64_t kTen19 = 10'000'000'000'000'000'000ULL;
constexpr int kMaxDigits = 80;
constexpr int kMaxPower = 230;  // 10^230 is below 2^765

// Of the magnitude, least significant first.
using Limbs = std::array<uint64_t, 4>;

Limbs LimbsOf(const ScaledInteger& magnitude) {
  Limbs limbs{};
  boost::multiprecision::export_bits(magnitude, limbs.begin(), 64, /*msv_first=*/false);
  return limbs;
}

ScaledInteger OfLimbs(const Limbs& limbs) {
  ScaledInteger magnitude;
  boost::multiprecision::import_bits(magnitude, limbs.begin(), limbs.end(), 64, /*msv_first=*/false);
  return magnitude;
}

ScaledInteger TwoTo(unsigned exponent) {
  return ScaledInteger(1) << exponent;
}

// |value| < |end|
bool IsNearer(const ScaledInteger& value, const ScaledInteger& end) {
  return value.backend().compare_unsigned(end.backend()) < 0;
}

bool Has256Bits(const ScaledInteger& value) {
  static const ScaledInteger end = TwoTo(256);
  return IsNearer(value, end);
}

// The digits of a number, the point taken out, and how many of them lie after it.
struct Digits {
  std::string_view text[2];  // before and after the point
  int64_t exponent = 0;
  bool negative = false;
};

bool SplitNumber(std::string_view text, Digits* digits) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    digits->negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const size_t mark = text.find_first_of("eE");
  if (mark != std::string_view::npos) {
    std::string_view exponent = text.substr(mark + 1);
    if (!exponent.empty() && exponent.front() == '+') exponent.remove_prefix(1);
    const auto [end, error] =
        std::from_chars(exponent.data(), exponent.data() + exponent.size(), digits->exponent);
    if (error != std::errc() || end != exponent.data() + exponent.size()) return false;
    if (digits->exponent > 1000 || digits->exponent < -1000) return false;
    text = text.substr(0, mark);
  }
  const size_t point = text.find('.');
  digits->text[0] = text.substr(0, point);
  if (point != std::string_view::npos) digits->text[1] = text.substr(point + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return digits->text[0].size() + digits->text[1].size() > 0 &&
         std::all_of(digits->text[0].begin(), digits->text[0].end(), is_digit) &&
         std::all_of(digits->text[1].begin(), digits->text[1].end(), is_digit);
}

// Adds decimal digits to a number, nineteen at a time.
class DigitSum {
 public:
  explicit DigitSum(ScaledInteger* number) : number_(number) {}
  void Add(int digit) {
    part_ = part_ * 10 + static_cast<uint64_t>(digit);
    factor_ *= 10;
    if (factor_ == kTen19) Flush();
  }
  void Flush() {
    *number_ *= factor_;
    *number_ += part_;
    part_ = 0;
    factor_ = 1;
  }

 private:
  ScaledInteger* number_;
  uint64_t part_ = 0;
  uint64_t factor_ = 1;
};

}  // namespace

bool ParseScaled(std::string_view text, int scale, ScaledInteger* result) {
  *result = 0;
  Digits digits;
  if (!SplitNumber(text, &digits)) return false;
  // `wanted`: how many of all digits (both parts in a row) belong to the scaled integer.
  const int64_t wanted = static_cast<int64_t>(digits.text[0].size()) + digits.exponent + scale;
  int64_t at = 0;
  int64_t significant = 0;
  bool round_up = false;
  DigitSum sum(result);
  for (const std::string_view part : digits.text) {
    for (const char c : part) {
      if (at == wanted) round_up = c >= '5';
      if (at++ >= wanted) continue;
      if (c != '0' || significant > 0) ++significant;
      if (significant > kMaxDigits) return false;
      sum.Add(c - '0');
    }
  }
  for (; at < wanted && significant > 0; ++at) {
    if (++significant > kMaxDigits) return false;
    sum.Add(0);
  }
  sum.Flush();
  if (round_up) ++*result;
  if (digits.negative) result->backend().negate();
  return Has256Bits(*result);
}

bool ScaleUint64(uint64_t value, int scale, ScaledInteger* result) {
  *result = PowerOfTen(scale) * value;
  return true;
}

bool ScaleInt64(int64_t value, int scale, ScaledInteger* result) {
  *result = PowerOfTen(scale) * value;
  return true;
}

bool ScaleDouble(double value, int scale, ScaledInteger* result) {
  if (!std::isfinite(value) || std::fabs(value) > 1e40) return false;
  char text[128];
  const int size = std::snprintf(text, sizeof text, "%.*f", scale, value);
  return ParseScaled({text, static_cast<size_t>(size)}, scale, result);
}

bool FromLittleEndian(std::string_view bytes, ScaledInteger* result) {
  *result = 0;
  if (bytes.empty() || bytes.size() > 32) return false;
  const bool negative = (static_cast<uint8_t>(bytes.back()) & 0x80) != 0;
  if (bytes.size() <= 16) {
    __int128 number = negative ? -1 : 0;
    std::memcpy(&number, bytes.data(), bytes.size());
    *result = number;
    return true;
  }
  Limbs limbs;
  limbs.fill(negative ? ~uint64_t{0} : 0);
  std::memcpy(limbs.data(), bytes.data(), bytes.size());
  *result = OfLimbs(limbs);
  if (negative) *result -= TwoTo(256);
  return true;
}

const ScaledInteger& PowerOfTen(int power) {
  static const auto* powers = [] {
    auto* table = new std::array<ScaledInteger, kMaxPower + 1>{};
    (*table)[0] = 1;
    for (size_t i = 1; i < table->size(); ++i) (*table)[i] = (*table)[i - 1] * 10;
    return table;
  }();
  return (*powers)[static_cast<size_t>(std::min(power, kMaxPower))];
}

ScaledInteger DivideRounded(const ScaledInteger& value, const ScaledInteger& divisor) {
  ScaledInteger quotient, remainder;
  divide_qr(value, divisor, quotient, remainder);
  remainder *= 2;
  if (!IsNearer(remainder, divisor)) quotient += (value < 0) != (divisor < 0) ? -1 : 1;
  return quotient;
}

bool Rescale(int from_scale, int to_scale, ScaledInteger* value) {
  if (to_scale > from_scale) *value *= PowerOfTen(to_scale - from_scale);
  if (to_scale < from_scale) *value = DivideRounded(*value, PowerOfTen(from_scale - to_scale));
  return Has256Bits(*value);
}

bool FitsNumeric(const ScaledInteger& value) {
  return IsNearer(value, PowerOfTen(38));
}

bool FitsBigNumeric(const ScaledInteger& value) {
  static const ScaledInteger end = TwoTo(255), begin = -end;
  return value >= begin && value < end;
}

bool FitsPrecision(const ScaledInteger& value, int scale, int precision, int keep) {
  return IsNearer(value, PowerOfTen(precision - keep + scale));
}

bool RoundTo(int scale, int keep, ScaledInteger* value) {
  return Rescale(scale, keep, value) && Rescale(keep, scale, value);
}

__int128 ToInt128(const ScaledInteger& value) {
  return static_cast<__int128>(value);
}

ScaledInteger FromInt128(__int128 value) {
  return ScaledInteger(value);
}

size_t ToDuckDbBignum(const ScaledInteger& value, char* out) {
  char little[32];
  std::memcpy(little, LimbsOf(abs(value)).data(), sizeof little);
  size_t size = sizeof little;
  while (size > 1 && little[size - 1] == 0) --size;
  const auto invert = static_cast<char>(value < 0 ? 0xff : 0);
  out[0] = static_cast<char>(static_cast<char>(0x80) ^ invert);
  out[1] = invert;
  out[2] = static_cast<char>(static_cast<char>(size) ^ invert);
  for (size_t i = 0; i < size; ++i) out[3 + i] = static_cast<char>(little[size - 1 - i] ^ invert);
  return 3 + size;
}

bool FromDuckDbBignum(std::string_view bytes, ScaledInteger* result) {
  *result = 0;
  if (bytes.size() < 4 || bytes.size() > 35) return false;
  const bool negative = (static_cast<uint8_t>(bytes[0]) & 0x80) == 0;
  const auto invert = static_cast<char>(negative ? 0xff : 0);
  char little[32] = {};
  for (size_t i = 3; i < bytes.size(); ++i)
    little[bytes.size() - 1 - i] = static_cast<char>(bytes[i] ^ invert);
  Limbs limbs;
  std::memcpy(limbs.data(), little, sizeof little);
  *result = OfLimbs(limbs);
  if (negative) result->backend().negate();
  return true;
}

void ToLittleEndian(const ScaledInteger& value, size_t size, char* out) {
  const Limbs limbs = value < 0 ? LimbsOf(value + TwoTo(256)) : LimbsOf(value);
  std::memcpy(out, limbs.data(), size);
}

std::string ToText(const ScaledInteger& value, int scale) {
  std::string text = ScaledInteger(abs(value)).str();
  const auto digits = static_cast<size_t>(scale);
  if (text.size() <= digits) text.insert(0, digits + 1 - text.size(), '0');
  if (scale > 0) {
    text.insert(text.size() - digits, ".");
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  if (value < 0) text.insert(text.begin(), '-');
  return text;
}

}  // namespace hakobu::localbq
