#include "localbq/storage_api/numeric.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace hakobu::localbq {
namespace {

using Limbs = std::array<uint64_t, 4>;
constexpr uint64_t kTen19 = 10'000'000'000'000'000'000ULL;
constexpr int kMaxDigits = 80;

bool MultiplyAdd(Limbs* limbs, uint64_t factor, uint64_t addend) {
  unsigned __int128 carry = addend;
  for (uint64_t& limb : *limbs) {
    carry += static_cast<unsigned __int128>(limb) * factor;
    limb = static_cast<uint64_t>(carry);
    carry >>= 64;
  }
  return carry == 0;
}

uint64_t Divide(Limbs* limbs, uint64_t divisor) {
  unsigned __int128 remainder = 0;
  for (int i = 3; i >= 0; --i) {
    const unsigned __int128 part = remainder << 64 | (*limbs)[i];
    (*limbs)[i] = static_cast<uint64_t>(part / divisor);
    remainder = part % divisor;
  }
  return static_cast<uint64_t>(remainder);
}

bool MultiplyPowerOfTen(Limbs* limbs, int power) {
  for (; power >= 19; power -= 19) {
    if (!MultiplyAdd(limbs, kTen19, 0)) return false;
  }
  uint64_t factor = 1;
  for (; power > 0; --power) factor *= 10;
  return MultiplyAdd(limbs, factor, 0);
}

// Divides by 10^power, half away from zero.
bool DividePowerOfTenRounding(Limbs* limbs, int power) {
  uint64_t last = 0;
  for (; power > 0; --power) last = Divide(limbs, 10);
  return last < 5 || MultiplyAdd(limbs, 1, 1);
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

// Adds decimal digits to a magnitude, nineteen at a time.
class DigitSum {
 public:
  explicit DigitSum(Limbs* limbs) : limbs_(limbs) {}
  bool Add(int digit) {
    part_ = part_ * 10 + static_cast<uint64_t>(digit);
    factor_ *= 10;
    return factor_ != kTen19 || Flush();
  }
  bool Flush() {
    const bool fits = MultiplyAdd(limbs_, factor_, part_);
    part_ = 0;
    factor_ = 1;
    return fits;
  }

 private:
  Limbs* limbs_;
  uint64_t part_ = 0;
  uint64_t factor_ = 1;
};

bool LessOrEqual(const Limbs& left, const Limbs& right) {
  return !std::lexicographical_compare(right.rbegin(), right.rend(), left.rbegin(), left.rend());
}

const Limbs& PowerOfTen(int power) {
  static const auto* powers = [] {
    auto* table = new std::array<Limbs, 78>{};
    (*table)[0] = {1, 0, 0, 0};
    for (size_t i = 1; i < table->size(); ++i) {
      (*table)[i] = (*table)[i - 1];
      MultiplyAdd(&(*table)[i], 10, 0);
    }
    return table;
  }();
  return (*powers)[static_cast<size_t>(std::min(power, 77))];
}

Limbs Negated(Limbs limbs) {
  unsigned __int128 carry = 1;
  for (uint64_t& limb : limbs) {
    carry += static_cast<uint64_t>(~limb);
    limb = static_cast<uint64_t>(carry);
    carry >>= 64;
  }
  return limbs;
}

void Normalize(ScaledInteger* value) {
  if (value->IsZero()) value->negative = false;
}

}  // namespace

bool ParseScaled(std::string_view text, int scale, ScaledInteger* result) {
  *result = {};
  Digits digits;
  if (!SplitNumber(text, &digits)) return false;
  // `wanted`: how many of all digits (both parts in a row) belong to the scaled integer.
  const int64_t wanted = static_cast<int64_t>(digits.text[0].size()) + digits.exponent + scale;
  int64_t at = 0;
  int64_t significant = 0;
  bool round_up = false;
  DigitSum sum(&result->limbs);
  for (const std::string_view part : digits.text) {
    for (const char c : part) {
      if (at == wanted) round_up = c >= '5';
      if (at++ >= wanted) continue;
      if (c != '0' || significant > 0) ++significant;
      if (significant > kMaxDigits || !sum.Add(c - '0')) return false;
    }
  }
  for (; at < wanted && significant > 0; ++at) {
    if (++significant > kMaxDigits || !sum.Add(0)) return false;
  }
  if (!sum.Flush()) return false;
  if (round_up && !MultiplyAdd(&result->limbs, 1, 1)) return false;
  result->negative = digits.negative;
  Normalize(result);
  return true;
}

bool ScaleUint64(uint64_t value, int scale, ScaledInteger* result) {
  *result = {};
  result->limbs[0] = value;
  return MultiplyPowerOfTen(&result->limbs, scale);
}

bool ScaleInt64(int64_t value, int scale, ScaledInteger* result) {
  const uint64_t magnitude = value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
  if (!ScaleUint64(magnitude, scale, result)) return false;
  result->negative = value < 0;
  return true;
}

bool ScaleDouble(double value, int scale, ScaledInteger* result) {
  if (!std::isfinite(value) || std::fabs(value) > 1e40) return false;
  char text[128];
  const int size = std::snprintf(text, sizeof text, "%.*f", scale, value);
  return ParseScaled({text, static_cast<size_t>(size)}, scale, result);
}

bool FromLittleEndian(std::string_view bytes, ScaledInteger* result) {
  *result = {};
  if (bytes.empty() || bytes.size() > 32) return false;
  const bool negative = (static_cast<uint8_t>(bytes.back()) & 0x80) != 0;
  char padded[32];
  std::memset(padded, negative ? 0xff : 0, sizeof padded);
  std::memcpy(padded, bytes.data(), bytes.size());
  std::memcpy(result->limbs.data(), padded, sizeof padded);
  if (negative) result->limbs = Negated(result->limbs);
  result->negative = negative;
  return true;
}

bool Rescale(int from_scale, int to_scale, ScaledInteger* value) {
  const bool fits = to_scale >= from_scale ? MultiplyPowerOfTen(&value->limbs, to_scale - from_scale)
                                           : DividePowerOfTenRounding(&value->limbs, from_scale - to_scale);
  Normalize(value);
  return fits;
}

bool FitsNumeric(const ScaledInteger& value) {
  return !LessOrEqual(PowerOfTen(38), value.limbs);
}

bool FitsBigNumeric(const ScaledInteger& value) {
  if ((value.limbs[3] >> 63) == 0) return true;
  return value.negative && value.limbs == Limbs{0, 0, 0, 1ULL << 63};
}

bool FitsPrecision(const ScaledInteger& value, int scale, int precision, int keep) {
  return !LessOrEqual(PowerOfTen(precision - keep + scale), value.limbs);
}

bool RoundTo(int scale, int keep, ScaledInteger* value) {
  return Rescale(scale, keep, value) && Rescale(keep, scale, value);
}

__int128 ToInt128(const ScaledInteger& value) {
  const auto magnitude = static_cast<unsigned __int128>(value.limbs[1]) << 64 | value.limbs[0];
  return static_cast<__int128>(value.negative ? -magnitude : magnitude);
}

ScaledInteger FromInt128(__int128 value) {
  ScaledInteger result;
  result.negative = value < 0;
  const auto magnitude =
      value < 0 ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  result.limbs[0] = static_cast<uint64_t>(magnitude);
  result.limbs[1] = static_cast<uint64_t>(magnitude >> 64);
  return result;
}

size_t ToDuckDbBignum(const ScaledInteger& value, char* out) {
  char little[32];
  std::memcpy(little, value.limbs.data(), sizeof little);
  size_t size = sizeof little;
  while (size > 1 && little[size - 1] == 0) --size;
  const auto invert = static_cast<char>(value.negative ? 0xff : 0);
  out[0] = static_cast<char>(static_cast<char>(0x80) ^ invert);
  out[1] = invert;
  out[2] = static_cast<char>(static_cast<char>(size) ^ invert);
  for (size_t i = 0; i < size; ++i) out[3 + i] = static_cast<char>(little[size - 1 - i] ^ invert);
  return 3 + size;
}

bool FromDuckDbBignum(std::string_view bytes, ScaledInteger* result) {
  *result = {};
  if (bytes.size() < 4 || bytes.size() > 35) return false;
  result->negative = (static_cast<uint8_t>(bytes[0]) & 0x80) == 0;
  const auto invert = static_cast<char>(result->negative ? 0xff : 0);
  char little[32] = {};
  for (size_t i = 3; i < bytes.size(); ++i)
    little[bytes.size() - 1 - i] = static_cast<char>(bytes[i] ^ invert);
  std::memcpy(result->limbs.data(), little, sizeof little);
  Normalize(result);
  return true;
}

void ToLittleEndian(const ScaledInteger& value, size_t size, char* out) {
  const Limbs limbs = value.negative ? Negated(value.limbs) : value.limbs;
  std::memcpy(out, limbs.data(), size);
}

std::string ToText(const ScaledInteger& value, int scale) {
  Limbs rest = value.limbs;
  std::string reversed;
  while ((rest[0] | rest[1] | rest[2] | rest[3]) != 0 || static_cast<int>(reversed.size()) <= scale) {
    reversed += static_cast<char>('0' + Divide(&rest, 10));
  }
  std::string text(reversed.rbegin(), reversed.rend());
  if (scale > 0) {
    text.insert(text.size() - static_cast<size_t>(scale), ".");
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  if (value.negative) text.insert(text.begin(), '-');
  return text;
}

}  // namespace hakobu::localbq
