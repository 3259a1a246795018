#include "localbq/sql/civil.h"

#include <fmt/format.h>

namespace hakobu::localbq::sql {
namespace {

constexpr int64_t kDayMicros = 86'400'000'000;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Takes min to max digits off the front of `text`.
bool TakeNumber(std::string_view& text, size_t min, size_t max, int64_t& value) {
  size_t length = 0;
  value = 0;
  while (length < max && length < text.size() && IsDigit(text[length]))
    value = value * 10 + (text[length++] - '0');
  if (length < min) return false;
  text.remove_prefix(length);
  return true;
}

bool TakeChar(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool TakeDate(std::string_view& text, CivilTime& out) {
  int64_t year, month, day;
  if (!TakeNumber(text, 4, 4, year) || !TakeChar(text, '-') || !TakeNumber(text, 1, 2, month) ||
      !TakeChar(text, '-') || !TakeNumber(text, 1, 2, day)) {
    return false;
  }
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, static_cast<int>(month)))
    return false;
  out.year = year;
  out.month = static_cast<int>(month);
  out.day = static_cast<int>(day);
  return true;
}

bool TakeTime(std::string_view& text, CivilTime& out) {
  int64_t hour, minute, second;
  if (!TakeNumber(text, 1, 2, hour) || !TakeChar(text, ':') || !TakeNumber(text, 1, 2, minute) ||
      !TakeChar(text, ':') || !TakeNumber(text, 1, 2, second)) {
    return false;
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  out.hour = static_cast<int>(hour);
  out.minute = static_cast<int>(minute);
  out.second = static_cast<int>(second);
  if (TakeChar(text, '.')) {
    size_t before = text.size();
    int64_t micros;
    if (!TakeNumber(text, 0, 6, micros)) return false;
    for (size_t digits = before - text.size(); digits < 6; ++digits) micros *= 10;
    out.micros = static_cast<int>(micros);
  }
  return true;
}

bool TakeDateTime(std::string_view& text, CivilTime& out) {
  if (!TakeDate(text, out)) return false;
  if (text.empty() || (text[0] != ' ' && text[0] != 'T' && text[0] != 't') || text.size() < 2 ||
      !IsDigit(text[1])) {
    return true;
  }
  text.remove_prefix(1);
  return TakeTime(text, out);
}

}  // namespace

int64_t DaysFromCivil(int64_t year, int month, int day) {
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

CivilTime CivilFromDays(int64_t days) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t of_era = days - era * 146097;
  int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted = (5 * of_year + 2) / 153;
  CivilTime civil;
  civil.day = static_cast<int>(of_year - (153 * shifted + 2) / 5 + 1);
  civil.month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  civil.year = year_of_era + era * 400 + (civil.month <= 2);
  return civil;
}

CivilTime CivilFromMicros(int64_t micros) {
  int64_t days = micros / kDayMicros - (micros % kDayMicros < 0);
  int64_t rest = micros - days * kDayMicros;
  CivilTime civil = CivilFromDays(days);
  civil.micros = static_cast<int>(rest % 1'000'000);
  rest /= 1'000'000;
  civil.second = static_cast<int>(rest % 60);
  civil.minute = static_cast<int>(rest / 60 % 60);
  civil.hour = static_cast<int>(rest / 3600);
  return civil;
}

int64_t MicrosFromCivil(const CivilTime& civil) {
  int64_t seconds = DaysFromCivil(civil.year, civil.month, civil.day) * 86400 + civil.hour * 3600 +
                    civil.minute * 60 + civil.second;
  return seconds * 1'000'000 + civil.micros;
}

int DaysInMonth(int64_t year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

std::optional<CivilTime> ParseDate(std::string_view text) {
  CivilTime civil;
  if (!TakeDate(text, civil) || !text.empty()) return std::nullopt;
  return civil;
}

std::optional<CivilTime> ParseTime(std::string_view text) {
  CivilTime civil;
  if (!TakeTime(text, civil) || !text.empty()) return std::nullopt;
  return civil;
}

std::optional<CivilTime> ParseDateTime(std::string_view text) {
  CivilTime civil;
  if (!TakeDateTime(text, civil) || !text.empty()) return std::nullopt;
  return civil;
}

std::optional<int64_t> ParseOffset(std::string_view text) {
  if (text == "UTC" || text == "Z" || text == "z") return 0;
  if (text.starts_with("UTC")) text.remove_prefix(3);
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  int64_t sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  int64_t hours, minutes = 0;
  if (!TakeNumber(text, 1, 2, hours)) return std::nullopt;
  if (!text.empty() && (!TakeChar(text, ':') || !TakeNumber(text, 2, 2, minutes) || !text.empty()))
    return std::nullopt;
  if (hours > 14 || minutes > 59) return std::nullopt;
  return sign * (hours * 3600 + minutes * 60);
}

std::optional<ParsedTimestamp> ParseTimestamp(std::string_view text) {
  ParsedTimestamp parsed;
  if (!TakeDateTime(text, parsed.civil)) return std::nullopt;
  if (text.empty()) return parsed;
  bool space = TakeChar(text, ' ');
  if (text.empty()) return std::nullopt;
  if (std::optional<int64_t> offset = ParseOffset(text)) {
    parsed.has_offset = true;
    parsed.offset_seconds = *offset;
    return parsed;
  }
  if (!space) return std::nullopt;
  for (char c : text) {
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    if (!letter && !IsDigit(c) && c != '/' && c != '_' && c != '-' && c != '+') return std::nullopt;
  }
  parsed.zone = text;
  return parsed;
}

std::string DateText(const CivilTime& civil) {
  return fmt::format("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day);
}

std::string TimeText(const CivilTime& civil) {
  std::string text = fmt::format("{:02}:{:02}:{:02}", civil.hour, civil.minute, civil.second);
  if (civil.micros == 0) return text;
  return text + (civil.micros % 1000 == 0 ? fmt::format(".{:03}", civil.micros / 1000)
                                          : fmt::format(".{:06}", civil.micros));
}

std::string DateTimeText(const CivilTime& civil) {
  return DateText(civil) + " " + TimeText(civil);
}

}  // namespace hakobu::localbq::sql
