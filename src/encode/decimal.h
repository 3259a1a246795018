// Exact decimals from digits to the scaled integers that NUMERIC and BIGNUMERIC are: value * 10^9 and value *
// 10^38, as two's complement bytes, little-endian for Storage Write (BigDecimalByteStringEncoder in Google's
// Java client) and big-endian for Avro.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hakobu {

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

// Two's complement, least significant word first.
struct Int256 {
  std::array<uint64_t, 4> words{};
};

enum class DecimalProblem : uint8_t { kNone, kNotADecimal, kOutOfRange, kTooManyFractionDigits };

// `text`: "-123.4500", as cell.h's kDecimal; an exponent ("1.5e-7") is taken too. Zeros behind the last place
// that the type holds are no problem.
DecimalProblem ParseNumeric(std::string_view text, Int128* scaled);
DecimalProblem ParseBigNumeric(std::string_view text, Int256* scaled);

// An integer as NUMERIC: always fits.
inline Int128 NumericFromUnsigned(uint64_t value) {
  return static_cast<Int128>(value) * 1'000'000'000;
}
inline Int128 NumericFromSigned(int64_t value) {
  return static_cast<Int128>(value) * 1'000'000'000;
}

// The fewest bytes that hold the value, written to `out`, which has room for 16 and 32; returns how many.
// `out` may be overwritten up to that room.
size_t WriteLittleEndian(Int128 value, char* out);
size_t WriteLittleEndian(const Int256& value, char* out);

// The way back, for reports: at most 32 bytes of little-endian two's complement as "-123.45".
std::string ScaledText(std::string_view little_endian, size_t scale);

}  // namespace hakobu
