#include "decode/temporal.h"

#include <fmt/format.h>

#include "decode/civil.h"
#include "decode/wire.h"

namespace hakobu {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86'400 * kSecond;
constexpr int64_t kLongestTime = (838 * 3600 + 59 * 60 + 59) * kSecond;

struct Parts {
  uint32_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, micros = 0;
};

// Length 0, 4, 7 or 11: what is left out is zero.
inline const char* LoadParts(const char* at, const char* end, Parts* parts) {
  if (at == end) return nullptr;
  const auto size = static_cast<uint8_t>(*at++);
  if (size > end - at || (size != 0 && size != 4 && size != 7 && size != 11)) return nullptr;
  if (size >= 4) {
    parts->year = Load<uint16_t>(at);
    parts->month = Load<uint8_t>(at + 2);
    parts->day = Load<uint8_t>(at + 3);
  }
  if (size >= 7) {
    parts->hour = Load<uint8_t>(at + 4);
    parts->minute = Load<uint8_t>(at + 5);
    parts->second = Load<uint8_t>(at + 6);
  }
  if (size == 11) parts->micros = Load<uint32_t>(at + 7);
  return at + size;
}

bool IsRealTime(const Parts& parts) {
  return parts.hour < 24 && parts.minute < 60 && parts.second < 60 && parts.micros < kSecond;
}

std::string FractionText(uint32_t micros, uint32_t digits) {
  return digits == 0 ? "" : fmt::format(".{:06}", micros).substr(0, digits + 1);
}

[[gnu::noinline]] Cell InvalidDate(const Parts& parts, Arena* arena) {
  return Cell::Text(CellKind::kInvalid,
                    arena->Copy(fmt::format("{:04}-{:02}-{:02}", parts.year, parts.month, parts.day)));
}

[[gnu::noinline]] Cell InvalidDateTime(const Parts& parts, uint32_t fraction, Arena* arena) {
  return Cell::Text(
      CellKind::kInvalid,
      arena->Copy(fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}{}", parts.year, parts.month, parts.day,
                              parts.hour, parts.minute, parts.second, FractionText(parts.micros, fraction))));
}

[[gnu::noinline]] Cell InvalidTime(bool negative, const Parts& parts, uint32_t fraction, Arena* arena) {
  return Cell::Text(CellKind::kInvalid,
                    arena->Copy(fmt::format("{}{:02}:{:02}:{:02}{}", negative ? "-" : "",
                                            static_cast<uint64_t>(parts.day) * 24 + parts.hour, parts.minute,
                                            parts.second, FractionText(parts.micros, fraction))));
}

}  // namespace

const char* DecodeDate(const ColumnDecoder&, const char* at, const char* end, Arena* arena, Cell* cell) {
  Parts parts;
  at = LoadParts(at, end, &parts);
  if (at == nullptr) [[unlikely]]
    return nullptr;
  if (!IsRealDate(parts.year, parts.month, parts.day)) [[unlikely]] {
    *cell = InvalidDate(parts, arena);
  } else {
    *cell = Cell::Integer(CellKind::kDate, DaysFromCivil(parts.year, parts.month, parts.day));
  }
  return at;
}

const char* DecodeDateTime(const ColumnDecoder& column, const char* at, const char* end, Arena* arena,
                           Cell* cell) {
  Parts parts;
  at = LoadParts(at, end, &parts);
  if (at == nullptr) [[unlikely]]
    return nullptr;
  if (!IsRealDate(parts.year, parts.month, parts.day) || !IsRealTime(parts)) [[unlikely]] {
    *cell = InvalidDateTime(parts, column.fraction, arena);
    return at;
  }
  const int64_t seconds = (parts.hour * 60 + parts.minute) * 60 + parts.second;
  *cell = Cell::Integer(column.kind, DaysFromCivil(parts.year, parts.month, parts.day) * kDay +
                                         seconds * kSecond + parts.micros);
  return at;
}

// Length 0, 8 or 12: sign, days, hours, minutes, seconds, microseconds.
const char* DecodeTime(const ColumnDecoder& column, const char* at, const char* end, Arena* arena,
                       Cell* cell) {
  if (at == end) [[unlikely]]
    return nullptr;
  const auto size = static_cast<uint8_t>(*at++);
  if (size > end - at || (size != 0 && size != 8 && size != 12)) [[unlikely]]
    return nullptr;
  Parts parts;
  bool negative = false;
  if (size >= 8) {
    negative = *at != 0;
    parts.day = Load<uint32_t>(at + 1);
    parts.hour = Load<uint8_t>(at + 5);
    parts.minute = Load<uint8_t>(at + 6);
    parts.second = Load<uint8_t>(at + 7);
  }
  if (size == 12) parts.micros = Load<uint32_t>(at + 8);
  const int64_t seconds =
      (static_cast<int64_t>(parts.day) * 24 + parts.hour) * 3600 + parts.minute * 60 + parts.second;
  // The comparison in seconds first: microseconds of a broken packet's days would overflow.
  if (seconds > kLongestTime / kSecond || parts.minute >= 60 || parts.second >= 60 ||
      parts.micros >= kSecond || seconds * kSecond + parts.micros > kLongestTime) [[unlikely]] {
    *cell = InvalidTime(negative, parts, column.fraction, arena);
    return at + size;
  }
  const int64_t micros = seconds * kSecond + parts.micros;
  *cell = Cell::Integer(CellKind::kTime, negative ? -micros : micros);
  return at + size;
}

}  // namespace hakobu
