// BigQuery's NUMERIC and BIGNUMERIC as scaled integers (times 10^9, times 10^38), from every form a writer
// may send: text, integers, doubles, and little-endian two's complement bytes; and back to bytes for readers.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace hakobu::localbq {

// BIGNUMERIC has 256 bits with its sign; there is room for its products with powers of ten.
using ScaledInteger = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<
    768, 768, boost::multiprecision::signed_magnitude, boost::multiprecision::unchecked, void>>;

inline constexpr int kNumericScale = 9;
inline constexpr int kBigNumericScale = 38;

// Digits with an optional sign, point and exponent, rounded half away from zero to `scale` digits.
// False: not a number, or more than 256 bits.
bool ParseScaled(std::string_view text, int scale, ScaledInteger* result);
bool ScaleInt64(int64_t value, int scale, ScaledInteger* result);
bool ScaleUint64(uint64_t value, int scale, ScaledInteger* result);
// The double's exact value, rounded. False for NaN, infinities and values that do not fit.
bool ScaleDouble(double value, int scale, ScaledInteger* result);
// Little-endian two's complement of 1..32 bytes, already scaled. False when empty or longer.
bool FromLittleEndian(std::string_view bytes, ScaledInteger* result);
// 10^power, for 0 to 230.
const ScaledInteger& PowerOfTen(int power);
// Rounded half away from zero. `divisor` is not 0.
ScaledInteger DivideRounded(const ScaledInteger& value, const ScaledInteger& divisor);
// Multiplies (to a larger scale) or rounds (to a smaller one). False: more than 256 bits.
bool Rescale(int from_scale, int to_scale, ScaledInteger* value);

// NUMERIC: 29 digits before the point. BIGNUMERIC: -2^255 .. 2^255-1.
bool FitsNumeric(const ScaledInteger& value);
bool FitsBigNumeric(const ScaledInteger& value);
// At most `precision` decimal digits in all, the last `scale - keep` of them zero: NUMERIC(precision, keep)
// holds it.
bool FitsPrecision(const ScaledInteger& value, int scale, int precision, int keep);
// Rounds half away from zero to `keep` fractional digits, keeping the scale.
bool RoundTo(int scale, int keep, ScaledInteger* value);

__int128 ToInt128(const ScaledInteger& value);
ScaledInteger FromInt128(__int128 value);
// DuckDB's BIGNUM: three bytes of sign and length, then the magnitude, most significant byte first, all bits
// inverted when negative. `out` has room for 3 + 32 bytes; returns the length.
size_t ToDuckDbBignum(const ScaledInteger& value, char* out);
bool FromDuckDbBignum(std::string_view bytes, ScaledInteger* result);
// Two's complement of exactly `size` bytes, least significant first.
void ToLittleEndian(const ScaledInteger& value, size_t size, char* out);
// Decimal text without trailing zeros after the point.
std::string ToText(const ScaledInteger& value, int scale);

}  // namespace hakobu::localbq
