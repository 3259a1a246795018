#include "localbq/sql/time_format.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>

namespace hakobu::localbq::sql {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

struct Calendar {
  int64_t days;     // since 1970
  int weekday;      // 0 Sunday
  int day_of_year;  // from 1
  int64_t iso_year;
  int iso_week;
};

Calendar CalendarOf(const CivilTime& civil) {
  Calendar out;
  out.days = DaysFromCivil(civil.year, civil.month, civil.day);
  out.weekday = static_cast<int>(((out.days + 4) % 7 + 7) % 7);
  out.day_of_year = static_cast<int>(out.days - DaysFromCivil(civil.year, 1, 1) + 1);
  int64_t thursday = out.days - (out.weekday + 6) % 7 + 3;
  out.iso_year = CivilFromDays(thursday).year;
  out.iso_week = static_cast<int>((thursday - DaysFromCivil(out.iso_year, 1, 1)) / 7 + 1);
  return out;
}

std::string OffsetText(int64_t seconds, bool colon) {
  int64_t minutes = std::abs(seconds) / 60;
  return fmt::format("{}{:02}{}{:02}", seconds < 0 ? '-' : '+', minutes / 60, colon ? ":" : "", minutes % 60);
}

// "UTC", "UTC+9", "UTC-3:30".
std::string ZoneText(int64_t seconds) {
  const int64_t minutes = std::abs(seconds) / 60;
  if (minutes == 0) return "UTC";
  std::string text = fmt::format("UTC{}{}", seconds < 0 ? '-' : '+', minutes / 60);
  if (minutes % 60 != 0) text += fmt::format(":{:02}", minutes % 60);
  return text;
}

std::optional<std::string> FormatElement(char c, const CivilTime& civil, const Calendar& calendar,
                                         int64_t offset, std::string_view zone) {
  int hour12 = civil.hour % 12 == 0 ? 12 : civil.hour % 12;
  auto nested = [&](std::string_view format) {
    std::string bad;
    return FormatTime(format, civil, offset, zone, &bad);
  };
  switch (c) {
    case 'Y':
      return fmt::format("{}", civil.year);
    case 'y':
      return fmt::format("{:02}", civil.year % 100);
    case 'C':
      return fmt::format("{:02}", civil.year / 100);
    case 'm':
      return fmt::format("{:02}", civil.month);
    case 'd':
      return fmt::format("{:02}", civil.day);
    case 'e':
      return fmt::format("{:2}", civil.day);
    case 'H':
      return fmt::format("{:02}", civil.hour);
    case 'k':
      return fmt::format("{:2}", civil.hour);
    case 'I':
      return fmt::format("{:02}", hour12);
    case 'l':
      return fmt::format("{:2}", hour12);
    case 'M':
      return fmt::format("{:02}", civil.minute);
    case 'S':
      return fmt::format("{:02}", civil.second);
    case 'p':
      return civil.hour < 12 ? "AM" : "PM";
    case 'P':
      return civil.hour < 12 ? "am" : "pm";
    case 'B':
      return std::string(kMonths[static_cast<size_t>(civil.month - 1)]);
    case 'b':
    case 'h':
      return std::string(kMonths[static_cast<size_t>(civil.month - 1)].substr(0, 3));
    case 'A':
      return std::string(kDays[static_cast<size_t>(calendar.weekday)]);
    case 'a':
      return std::string(kDays[static_cast<size_t>(calendar.weekday)].substr(0, 3));
    case 'u':
      return fmt::format("{}", calendar.weekday == 0 ? 7 : calendar.weekday);
    case 'w':
      return fmt::format("{}", calendar.weekday);
    case 'j':
      return fmt::format("{:03}", calendar.day_of_year);
    case 'U':
      return fmt::format("{:02}", (calendar.day_of_year + 6 - calendar.weekday) / 7);
    case 'W':
      return fmt::format("{:02}", (calendar.day_of_year + 6 - (calendar.weekday + 6) % 7) / 7);
    case 'V':
      return fmt::format("{:02}", calendar.iso_week);
    case 'G':
      return fmt::format("{}", calendar.iso_year);
    case 'g':
      return fmt::format("{:02}", calendar.iso_year % 100);
    case 'Q':
      return fmt::format("{}", (civil.month + 2) / 3);
    case 's':
      return fmt::format("{}", MicrosFromCivil(civil) / 1'000'000 - offset);
    case 'F':
      return nested("%Y-%m-%d");
    case 'T':
    case 'X':
      return nested("%H:%M:%S");
    case 'R':
      return nested("%H:%M");
    case 'D':
    case 'x':
      return nested("%m/%d/%y");
    case 'c':
      return nested("%a %b %e %H:%M:%S %Y");
    case 'z':
      return OffsetText(offset, false);
    case 'Z':
      return zone.empty() ? "" : ZoneText(offset);
    case 'n':
      return "\n";
    case 't':
      return "\t";
    case '%':
      return "%";
    default:
      return std::nullopt;
  }
}

bool TakeNumber(std::string_view& text, size_t most, int64_t& value) {
  size_t length = 0;
  value = 0;
  while (length < most && length < text.size() && text[length] >= '0' && text[length] <= '9') {
    value = value * 10 + (text[length++] - '0');
  }
  text.remove_prefix(length);
  return length > 0;
}

template <size_t kSize>
bool TakeNamed(std::string_view& text, const std::array<std::string_view, kSize>& names, int& index) {
  for (bool whole : {true, false}) {
    for (size_t i = 0; i < kSize; ++i) {
      std::string_view name = whole ? names[i] : names[i].substr(0, 3);
      if (text.size() < name.size()) continue;
      bool same = true;
      for (size_t k = 0; k < name.size(); ++k) same = same && (text[k] | 0x20) == (name[k] | 0x20);
      if (!same) continue;
      text.remove_prefix(name.size());
      index = static_cast<int>(i);
      return true;
    }
  }
  return false;
}

struct ParseState {
  ParsedTime out;
  int hour12 = -1;
  int afternoon = -1;
  int64_t day_of_year = -1;
  std::optional<int64_t> epoch;
};

bool TakeSeconds(std::string_view& text, ParseState& state, bool fraction) {
  int64_t value;
  if (!TakeNumber(text, 2, value)) return false;
  state.out.civil.second = static_cast<int>(value);
  if (!fraction || text.empty() || text[0] != '.') return true;
  text.remove_prefix(1);
  size_t before = text.size();
  if (!TakeNumber(text, 6, value)) return false;
  for (size_t digits = before - text.size(); digits < 6; ++digits) value *= 10;
  state.out.civil.micros = static_cast<int>(value);
  return true;
}

bool ParseInto(std::string_view format, std::string_view& text, ParseState& state, std::string* bad);

bool ParseElement(char c, std::string_view& text, ParseState& state, std::string* bad) {
  CivilTime& civil = state.out.civil;
  int64_t value = 0;
  auto number = [&](size_t most, int& into) {
    while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
    if (!TakeNumber(text, most, value)) return false;
    into = static_cast<int>(value);
    return true;
  };
  int index = 0;
  switch (c) {
    case 'Y':
      if (!TakeNumber(text, 4, value)) return false;
      civil.year = value;
      return true;
    case 'y':
      if (!TakeNumber(text, 2, value)) return false;
      civil.year = value < 69 ? 2000 + value : 1900 + value;
      return true;
    case 'm':
      return number(2, civil.month);
    case 'd':
    case 'e':
      return number(2, civil.day);
    case 'H':
    case 'k':
      return number(2, civil.hour);
    case 'I':
    case 'l':
      return number(2, state.hour12);
    case 'M':
      return number(2, civil.minute);
    case 'S':
      return TakeSeconds(text, state, false);
    case 'j':
      if (!TakeNumber(text, 3, value)) return false;
      state.day_of_year = value;
      return true;
    case 'p':
    case 'P':
      if (text.size() < 2 || (text[1] | 0x20) != 'm') return false;
      if ((text[0] | 0x20) != 'a' && (text[0] | 0x20) != 'p') return false;
      state.afternoon = (text[0] | 0x20) == 'p';
      text.remove_prefix(2);
      return true;
    case 'b':
    case 'B':
    case 'h':
      if (!TakeNamed(text, kMonths, index)) return false;
      civil.month = index + 1;
      return true;
    case 'a':
    case 'A':
      return TakeNamed(text, kDays, index);
    case 's': {
      bool negative = text.starts_with('-');
      if (negative) text.remove_prefix(1);
      if (!TakeNumber(text, 12, value)) return false;
      state.epoch = negative ? -value : value;
      return true;
    }
    case 'F':
      return ParseInto("%Y-%m-%d", text, state, bad);
    case 'T':
    case 'X':
      return ParseInto("%H:%M:%S", text, state, bad);
    case 'R':
      return ParseInto("%H:%M", text, state, bad);
    case 'D':
    case 'x':
      return ParseInto("%m/%d/%y", text, state, bad);
    case 'c':
      return ParseInto("%a %b %e %H:%M:%S %Y", text, state, bad);
    case 'z': {
      if (text.starts_with('Z') || text.starts_with('z')) {
        text.remove_prefix(1);
        state.out.offset_seconds = 0;
        return true;
      }
      if (text.empty() || (text[0] != '+' && text[0] != '-')) return false;
      int64_t sign = text[0] == '-' ? -1 : 1, minutes = 0;
      text.remove_prefix(1);
      if (!TakeNumber(text, 2, value)) return false;
      if (text.starts_with(':')) text.remove_prefix(1);
      TakeNumber(text, 2, minutes);
      state.out.offset_seconds = sign * (value * 3600 + minutes * 60);
      return true;
    }
    case 'n':
    case 't':
      while (!text.empty() && (text[0] == ' ' || text[0] == '\t' || text[0] == '\n')) text.remove_prefix(1);
      return true;
    case '%':
      if (!text.starts_with('%')) return false;
      text.remove_prefix(1);
      return true;
    default:
      *bad = std::string("%") + c;
      return false;
  }
}

bool ParseInto(std::string_view format, std::string_view& text, ParseState& state, std::string* bad) {
  for (size_t i = 0; i < format.size(); ++i) {
    char c = format[i];
    if (c == ' ' || c == '\t' || c == '\n') {
      while (!text.empty() && (text[0] == ' ' || text[0] == '\t' || text[0] == '\n')) text.remove_prefix(1);
    } else if (c != '%') {
      if (text.empty() || text[0] != c) return false;
      text.remove_prefix(1);
    } else if (++i >= format.size()) {
      return false;
    } else if (format[i] == 'E' && i + 1 < format.size()) {
      std::string_view rest = format.substr(i + 1);
      if (rest.size() >= 2 && rest[1] == 'S' &&
          (rest[0] == '*' || rest[0] == '#' || (rest[0] >= '0' && rest[0] <= '6'))) {
        if (!TakeSeconds(text, state, true)) return false;
        i += 2;
      } else if (rest.starts_with("4Y")) {
        if (!ParseElement('Y', text, state, bad)) return false;
        i += 2;
      } else if (rest.starts_with("z")) {
        if (!ParseElement('z', text, state, bad)) return false;
        i += 1;
      } else {
        *bad = "%E";
        return false;
      }
    } else if (!ParseElement(format[i], text, state, bad)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<std::string> FormatTime(std::string_view format, const CivilTime& civil, int64_t offset_seconds,
                                      std::string_view zone, std::string* bad) {
  Calendar calendar = CalendarOf(civil);
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 >= format.size()) {
      out += format[i];
      continue;
    }
    char c = format[++i];
    std::string_view rest = format.substr(i + 1);
    if (c == 'E' && rest.starts_with("4Y")) {
      out += fmt::format("{:04}", civil.year);
      i += 2;
    } else if (c == 'E' && rest.starts_with("z")) {
      out += OffsetText(offset_seconds, true);
      i += 1;
    } else if (c == 'E' && (rest.starts_with("*S") || rest.starts_with("#S"))) {
      std::string fraction = fmt::format("{:06}", civil.micros);
      while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
      out += fmt::format("{:02}{}{}", civil.second, fraction.empty() ? "" : ".", fraction);
      i += 2;
    } else if (c == 'E' && rest.size() >= 2 && rest[0] >= '1' && rest[0] <= '6' && rest[1] == 'S') {
      out += fmt::format("{:02}.{}", civil.second,
                         fmt::format("{:06}", civil.micros).substr(0, static_cast<size_t>(rest[0] - '0')));
      i += 2;
    } else if (std::optional<std::string> text = FormatElement(c, civil, calendar, offset_seconds, zone)) {
      out += *text;
    } else {
      *bad = std::string("%") + c;
      return std::nullopt;
    }
  }
  return out;
}

std::optional<ParsedTime> ParseWithFormat(std::string_view format, std::string_view text, std::string* bad) {
  ParseState state;
  while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  if (!ParseInto(format, text, state, bad)) return std::nullopt;
  while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  if (!text.empty()) return std::nullopt;
  CivilTime& civil = state.out.civil;
  if (state.epoch) {
    civil = CivilFromMicros(*state.epoch * 1'000'000);
    state.out.offset_seconds = 0;
    return state.out;
  }
  if (state.hour12 >= 0) {
    if (state.hour12 < 1 || state.hour12 > 12) return std::nullopt;
    civil.hour = state.hour12 % 12 + (state.afternoon == 1 ? 12 : 0);
  }
  if (state.day_of_year > 0) {
    CivilTime date = CivilFromDays(DaysFromCivil(civil.year, 1, 1) + state.day_of_year - 1);
    if (date.year != civil.year) return std::nullopt;
    civil.month = date.month;
    civil.day = date.day;
  }
  if (civil.year < 1 || civil.month < 1 || civil.month > 12 || civil.day < 1 ||
      civil.day > DaysInMonth(civil.year, civil.month) || civil.hour > 23 || civil.minute > 59 ||
      civil.second > 60) {
    return std::nullopt;
  }
  return state.out;
}

}  // namespace hakobu::localbq::sql
