#include "encode/temporal.h"

#include <array>
#include <charconv>
#include <cstring>

namespace hakobu {
namespace {

struct Civil {
  uint32_t year;
  uint32_t month;
  uint32_t day;
};

// For years 1 to 9999. C. Neri, L. Schneider, "Euclidean affine functions and their application to calendar
// algorithms" (2022), section 6: divisions by what is no power of two become one multiplication each.
inline Civil CivilFromDays(int64_t days) {
  const uint32_t four_days = 4 * (static_cast<uint32_t>(days) + 719'468) + 3;  // since 0000-03-01
  const uint32_t century = four_days / 146'097;
  const uint32_t four_days_of_century = four_days % 146'097 / 4 * 4 + 3;
  const uint64_t years = uint64_t{2'939'745} * four_days_of_century;  // as a fraction of 2^32
  const uint32_t year = 100 * century + static_cast<uint32_t>(years >> 32);
  const uint32_t day_of_year = static_cast<uint32_t>(years) / 2'939'745 / 4;
  const uint32_t months = 2141 * day_of_year + 197'913;  // as a fraction of 2^16, March is 3
  const bool next_year = day_of_year >= 306;             // January and February
  return {year + (next_year ? 1 : 0), (months >> 16) - (next_year ? 12 : 0), (months & 0xffff) / 2141 + 1};
}

struct DayAndTime {
  int64_t days;
  int64_t micros;  // of the day
};

inline DayAndTime SplitDay(int64_t micros) {
  int64_t days = micros / kMicrosPerDay;
  int64_t rest = micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  return {days, rest};
}

char* TwoDigits(uint32_t value, char* out) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
  return out + 2;
}

char* FourDigits(uint32_t value, char* out) {
  return TwoDigits(value % 100, TwoDigits(value / 100, out));
}

char* Fraction(uint32_t micros, uint32_t digits, char* out) {
  if (digits == 0) return out;
  *out++ = '.';
  std::array<char, 6> all;
  TwoDigits(micros % 100, TwoDigits(micros / 100 % 100, TwoDigits(micros / 10'000, all.data())));
  std::memcpy(out, all.data(), 6);
  return out + (digits < 6 ? digits : 6);
}

char* MinuteAndSecond(uint32_t second_of_hour, char* out) {
  *out++ = ':';
  out = TwoDigits(second_of_hour / 60, out);
  *out++ = ':';
  return TwoDigits(second_of_hour % 60, out);
}

}  // namespace

int64_t PackTime(int64_t micros) {
  const int64_t second = micros / kMicrosPerSecond;
  const int64_t packed = (second / 3600) << 12 | (second / 60 % 60) << 6 | second % 60;
  return packed << 20 | micros % kMicrosPerSecond;
}

int64_t PackDateTime(int64_t micros) {
  const DayAndTime split = SplitDay(micros);
  const Civil civil = CivilFromDays(split.days);
  const int64_t date = static_cast<int64_t>(civil.year) << 26 | static_cast<int64_t>(civil.month) << 22 |
                       static_cast<int64_t>(civil.day) << 17;
  return date << 20 | PackTime(split.micros);
}

char* WriteDate(int64_t days, char* out) {
  const Civil civil = CivilFromDays(days);
  out = FourDigits(civil.year, out);
  *out++ = '-';
  out = TwoDigits(civil.month, out);
  *out++ = '-';
  return TwoDigits(civil.day, out);
}

char* WriteDateTime(int64_t micros, uint32_t fraction, char* out) {
  const DayAndTime split = SplitDay(micros);
  out = WriteDate(split.days, out);
  *out++ = ' ';
  return WriteTime(split.micros, fraction, out);
}

char* WriteTime(int64_t micros, uint32_t fraction, char* out) {
  if (micros < 0) *out++ = '-';
  const uint64_t magnitude = micros < 0 ? -static_cast<uint64_t>(micros) : static_cast<uint64_t>(micros);
  const uint64_t second = magnitude / kMicrosPerSecond;
  const uint64_t hour = second / 3600;
  out = hour < 100 ? TwoDigits(static_cast<uint32_t>(hour), out) : std::to_chars(out, out + 12, hour).ptr;
  out = MinuteAndSecond(static_cast<uint32_t>(second % 3600), out);
  return Fraction(static_cast<uint32_t>(magnitude % kMicrosPerSecond), fraction, out);
}

char* WriteInterval(int64_t micros, char* out) {
  std::memcpy(out, "0-0 0 ", 6);
  out += 6;
  if (micros < 0) *out++ = '-';
  const uint64_t magnitude = micros < 0 ? -static_cast<uint64_t>(micros) : static_cast<uint64_t>(micros);
  const uint64_t second = magnitude / kMicrosPerSecond;
  out = std::to_chars(out, out + 12, second / 3600).ptr;
  *out++ = ':';
  out = std::to_chars(out, out + 2, second / 60 % 60).ptr;
  *out++ = ':';
  out = std::to_chars(out, out + 2, second % 60).ptr;
  const auto rest = static_cast<uint32_t>(magnitude % kMicrosPerSecond);
  return rest == 0 ? out : Fraction(rest, 6, out);
}

}  // namespace hakobu
