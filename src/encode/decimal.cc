#include "encode/decimal.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "absl/strings/ascii.h"

namespace hakobu {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr int kNumericScale = 9;
constexpr int kNumericIntegerDigits = 29;
constexpr int kBigNumericScale = 38;
constexpr int kBigNumericIntegerDigits = 39;
constexpr int kWordDigits = 19;  // 10^19 < 2^64

constexpr std::array<uint64_t, 20> kPowers = [] {
  std::array<uint64_t, 20> powers{};
  uint64_t power = 1;
  for (uint64_t& entry : powers) {
    entry = power;
    power *= 10;
  }
  return powers;
}();

// The digits of a number, its point moved: value = 0.integer… as `integer` digits before the point, then
// `fraction`.
struct Digits {
  bool negative = false;
  std::string_view integer;   // no leading zeros
  std::string_view fraction;  // no trailing zeros
  int exponent = 0;
};

bool Split(std::string_view text, Digits* digits) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    digits->negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view exponent = text.substr(e + 1);
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    const auto [end, error] =
        std::from_chars(exponent.data(), exponent.data() + exponent.size(), digits->exponent);
    if (error != std::errc() || end != exponent.data() + exponent.size() || std::abs(digits->exponent) > 400)
      return false;
    text = text.substr(0, e);
  }
  const size_t point = text.find('.');
  digits->integer = text.substr(0, point);
  digits->fraction = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (digits->integer.empty() && digits->fraction.empty()) return false;
  if (!std::all_of(digits->integer.begin(), digits->integer.end(), absl::ascii_isdigit)) return false;
  if (!std::all_of(digits->fraction.begin(), digits->fraction.end(), absl::ascii_isdigit)) return false;
  while (digits->integer.starts_with('0')) digits->integer.remove_prefix(1);
  while (digits->fraction.ends_with('0')) digits->fraction.remove_suffix(1);
  return true;
}

// All digits of the scaled integer, at most `scale + integer_digits` of them, in `out` (zero-padded at the
// end).
DecimalProblem Scale(const Digits& digits, int scale, int integer_digits, std::array<char, 80>* out,
                     size_t* size) {
  const int point =
      static_cast<int>(digits.integer.size()) + digits.exponent;  // digits before the moved point
  const size_t all = digits.integer.size() + digits.fraction.size();
  size_t first = 0;  // significant digits begin here
  const auto digit = [&](size_t at) {
    return at < digits.integer.size() ? digits.integer[at] : digits.fraction[at - digits.integer.size()];
  };
  while (first < all && digit(first) == '0') ++first;
  size_t last = all;
  while (last > first && digit(last - 1) == '0') --last;
  *size = 0;
  if (first == last) return DecimalProblem::kNone;
  if (point - static_cast<int>(first) > integer_digits) return DecimalProblem::kOutOfRange;
  if (static_cast<int>(last) - point > scale) return DecimalProblem::kTooManyFractionDigits;
  const int wanted = point + scale - static_cast<int>(first);
  for (int i = 0; i < wanted; ++i) {
    const size_t at = first + static_cast<size_t>(i);
    (*out)[static_cast<size_t>(i)] = at < last ? digit(at) : '0';
  }
  *size = static_cast<size_t>(wanted);
  return DecimalProblem::kNone;
}

uint64_t Word(const char* digits, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value * 10 + static_cast<uint64_t>(digits[i] - '0');
  return value;
}

// value = value * factor + add. Returns what ran over 256 bits.
uint64_t MultiplyAdd(Int256* value, uint64_t factor, uint64_t add) {
  uint64_t carry = add;
  for (uint64_t& word : value->words) {
    const UInt128 product = static_cast<UInt128>(word) * factor + carry;
    word = static_cast<uint64_t>(product);
    carry = static_cast<uint64_t>(product >> 64);
  }
  return carry;
}

void Negate(Int256* value) {
  uint64_t carry = 1;
  for (uint64_t& word : value->words) {
    word = ~word + carry;
    carry = carry != 0 && word == 0 ? 1 : 0;
  }
}

// "[-]digits[.digits]" of at most 18 digits once scaled: nearly every DECIMAL. False when it is not of that
// shape.
bool ParseShort(std::string_view text, Int128* scaled) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 19) return false;
  uint64_t value = 0;
  size_t fraction = 0;
  bool after_point = false;
  for (const char letter : text) {
    if (absl::ascii_isdigit(letter)) {
      value = value * 10 + static_cast<uint64_t>(letter - '0');
      fraction += after_point ? 1 : 0;
    } else if (letter == '.' && !after_point) {
      after_point = true;
    } else {
      return false;
    }
  }
  if (fraction > kNumericScale || text.size() == (after_point ? 1 : 0)) return false;
  // 19 digits stay below 2^64, and with the point among them there are 18.
  const Int128 magnitude = static_cast<Int128>(value) * kPowers[kNumericScale - fraction];
  *scaled = negative ? -magnitude : magnitude;
  return true;
}

}  // namespace

DecimalProblem ParseNumeric(std::string_view text, Int128* scaled) {
  if (ParseShort(text, scaled)) [[likely]]
    return DecimalProblem::kNone;
  Digits digits;
  if (!Split(text, &digits)) return DecimalProblem::kNotADecimal;
  std::array<char, 80> places;
  size_t size;
  const DecimalProblem problem = Scale(digits, kNumericScale, kNumericIntegerDigits, &places, &size);
  if (problem != DecimalProblem::kNone) return problem;
  UInt128 magnitude = 0;
  for (size_t at = 0; at < size; at += kWordDigits) {
    const size_t some = std::min<size_t>(kWordDigits, size - at);
    magnitude = magnitude * kPowers[some] + Word(places.data() + at, some);
  }
  *scaled = digits.negative ? -static_cast<Int128>(magnitude) : static_cast<Int128>(magnitude);
  return DecimalProblem::kNone;
}

DecimalProblem ParseBigNumeric(std::string_view text, Int256* scaled) {
  Digits digits;
  if (!Split(text, &digits)) return DecimalProblem::kNotADecimal;
  std::array<char, 80> places;
  size_t size;
  const DecimalProblem problem = Scale(digits, kBigNumericScale, kBigNumericIntegerDigits, &places, &size);
  if (problem != DecimalProblem::kNone) return problem;
  *scaled = {};
  for (size_t at = 0; at < size; at += kWordDigits) {
    const size_t some = std::min<size_t>(kWordDigits, size - at);
    if (MultiplyAdd(scaled, kPowers[some], Word(places.data() + at, some)) != 0)
      return DecimalProblem::kOutOfRange;
  }
  // The range is 256 bits of two's complement: -2^255 / 10^38 to (2^255 - 1) / 10^38.
  if (digits.negative) Negate(scaled);
  const bool sign = (scaled->words[3] >> 63) != 0;
  const bool zero = scaled->words == std::array<uint64_t, 4>{};
  if (!zero && sign != digits.negative) return DecimalProblem::kOutOfRange;
  return DecimalProblem::kNone;
}

size_t WriteLittleEndian(Int128 value, char* out) {
  std::memcpy(out, &value, sizeof(value));
  // Folding the sign away leaves the bits that carry the value; one more is needed for the sign itself.
  const UInt128 folded = static_cast<UInt128>(value) ^ static_cast<UInt128>(value >> 127);
  const auto high = static_cast<uint64_t>(folded >> 64);
  const int bits =
      high != 0 ? 128 - std::countl_zero(high) : 64 - std::countl_zero(static_cast<uint64_t>(folded));
  return static_cast<size_t>(bits) / 8 + 1;
}

size_t WriteLittleEndian(const Int256& value, char* out) {
  std::memcpy(out, value.words.data(), 32);
  size_t size = 32;
  const char sign = (value.words[3] >> 63) != 0 ? '\xff' : '\0';
  while (size > 1 && out[size - 1] == sign && ((out[size - 2] ^ sign) & 0x80) == 0) --size;
  return size;
}

std::string ScaledText(std::string_view little_endian, size_t scale) {
  Int256 value;
  const bool negative = !little_endian.empty() && (little_endian.back() & 0x80) != 0;
  std::memset(value.words.data(), negative ? 0xff : 0, 32);
  std::memcpy(value.words.data(), little_endian.data(), std::min<size_t>(32, little_endian.size()));
  if (negative) Negate(&value);
  std::string digits;  // the last one first
  while (value.words != std::array<uint64_t, 4>{} || digits.size() <= scale) {
    UInt128 rest = 0;
    for (size_t word = 4; word-- > 0;) {
      rest = rest << 64 | value.words[word];
      value.words[word] = static_cast<uint64_t>(rest / 10);
      rest %= 10;
    }
    digits += static_cast<char>('0' + static_cast<int>(rest));
  }
  std::string text = negative ? "-" : "";
  text.append(digits.rbegin(), digits.rend() - static_cast<ptrdiff_t>(scale));
  std::string fraction(digits.rend() - static_cast<ptrdiff_t>(scale), digits.rend());
  while (fraction.ends_with('0')) fraction.pop_back();
  return fraction.empty() ? text : text + "." + fraction;
}

}  // namespace hakobu
