#include "decode/binlog/packed.h"

#include <fmt/format.h>

#include <array>

#include "base/byte_reader.h"
#include "decode/civil.h"

namespace hakobu::binlog {
namespace {

constexpr unsigned kDigitsPerWord = 9;
constexpr std::array<uint8_t, 10> kBytesForDigits = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};

void PutDigits(uint32_t value, unsigned digits, char* out) {
  for (unsigned i = digits; i > 0; --i) {
    out[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// Reads groups of digits with the sign's mask undone.
class WordReader {
 public:
  WordReader(std::string_view bytes, bool negative) : reader_(bytes), negative_(negative) {}
  // The first byte of all has its top bit flipped.
  uint32_t Next(unsigned digits) {
    const size_t size = kBytesForDigits[digits];
    auto value = static_cast<uint32_t>(reader_.BigEndian(size));
    const uint32_t all = size == 4 ? 0xffffffffu : (1u << (8 * size)) - 1;
    if (first_ && size > 0) {
      value ^= 1u << (8 * size - 1);
      first_ = false;
    }
    return negative_ ? ~value & all : value;
  }

 private:
  ByteReader reader_;
  bool negative_;
  bool first_ = true;
};

}  // namespace

size_t PackedDecimalBytes(uint8_t precision, uint8_t scale) {
  const unsigned whole = precision - scale;
  return whole / kDigitsPerWord * 4 + kBytesForDigits[whole % kDigitsPerWord] + scale / kDigitsPerWord * 4 +
         kBytesForDigits[scale % kDigitsPerWord];
}

bool DecimalText(std::string_view bytes, uint8_t precision, uint8_t scale, Arena* arena,
                 std::string_view* text) {
  if (precision < scale || bytes.empty() || bytes.size() != PackedDecimalBytes(precision, scale))
    return false;
  const bool negative = (bytes[0] & 0x80) == 0;
  const unsigned whole = precision - scale;
  const size_t most = static_cast<size_t>(precision) + 4;
  char* const begin = arena->Allocate(most);
  char* digits = begin + 1;  // room for the sign
  WordReader words(bytes, negative);
  char* at = digits;
  const auto put = [&](unsigned count) {
    uint32_t limit = 1;
    for (unsigned i = 0; i < count; ++i) limit *= 10;
    const uint32_t value = words.Next(count);
    if (value >= limit) return false;
    PutDigits(value, count, at);
    at += count;
    return true;
  };
  if (whole % kDigitsPerWord != 0 && !put(whole % kDigitsPerWord)) return false;
  for (unsigned i = 0; i < whole / kDigitsPerWord; ++i) {
    if (!put(kDigitsPerWord)) return false;
  }
  while (digits < at - 1 && *digits == '0') ++digits;
  if (digits == at) *at++ = '0';
  if (scale > 0) {
    *at++ = '.';
    for (unsigned i = 0; i < scale / kDigitsPerWord; ++i) {
      if (!put(kDigitsPerWord)) return false;
    }
    if (scale % kDigitsPerWord != 0 && !put(scale % kDigitsPerWord)) return false;
  }
  if (negative) *--digits = '-';
  *text = {digits, static_cast<size_t>(at - digits)};
  return true;
}

Cell DateCell(const CivilParts& parts, Arena* arena) {
  if (IsRealDate(parts.year, parts.month, parts.day)) {
    return Cell::Integer(CellKind::kDate, DaysFromCivil(parts.year, parts.month, parts.day));
  }
  return Cell::Text(CellKind::kInvalid,
                    arena->Copy(fmt::format("{:04}-{:02}-{:02}", parts.year, parts.month, parts.day)));
}

Cell DateTimeCell(const CivilParts& parts, unsigned fraction, Arena* arena) {
  if (IsRealDate(parts.year, parts.month, parts.day) && parts.hour < 24 && parts.minute < 60 &&
      parts.second < 60) {
    const int64_t seconds = DaysFromCivil(parts.year, parts.month, parts.day) * 86400 + parts.hour * 3600 +
                            parts.minute * 60 + parts.second;
    return Cell::Integer(CellKind::kDateTime, seconds * 1000000 + parts.micros);
  }
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.year, parts.month, parts.day,
                                 parts.hour, parts.minute, parts.second);
  if (fraction > 0) text += fmt::format(".{:06}", parts.micros).substr(0, fraction + 1);
  return Cell::Text(CellKind::kInvalid, arena->Copy(text));
}

}  // namespace hakobu::binlog
