#include "localbq/storage_api/temporal.h"

#include <chrono>
#include <cstddef>
#include <cstdlib>

namespace hakobu::localbq {
namespace {

// A cursor over a literal. Each step answers whether the text went on as expected.
class Literal {
 public:
  explicit Literal(std::string_view text) : text_(text) {}

  bool Done() const { return at_ == text_.size(); }
  char Peek() const { return Done() ? '\0' : text_[at_]; }
  bool Skip(char c) {
    if (Peek() != c || Done()) return false;
    ++at_;
    return true;
  }
  bool SkipAny(std::string_view set) {
    if (Done() || set.find(text_[at_]) == std::string_view::npos) return false;
    ++at_;
    return true;
  }
  bool Number(int min_digits, int max_digits, int64_t* value) {
    *value = 0;
    int digits = 0;
    for (; digits < max_digits && Peek() >= '0' && Peek() <= '9'; ++digits)
      *value = *value * 10 + (text_[at_++] - '0');
    return digits >= min_digits;
  }
  // After a point: up to six digits, padded to microseconds.
  bool Fraction(int64_t* micros) {
    *micros = 0;
    int digits = 0;
    for (; digits < 6 && Peek() >= '0' && Peek() <= '9'; ++digits)
      *micros = *micros * 10 + (text_[at_++] - '0');
    if (digits == 0) return false;
    for (; digits < 6; ++digits) *micros *= 10;
    return true;
  }
  std::string_view Rest() const { return text_.substr(at_); }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool ReadDate(Literal* literal, int32_t* days) {
  int64_t year = 0, month = 0, day = 0;
  if (!literal->Number(4, 4, &year) || !literal->Skip('-') || !literal->Number(1, 2, &month) ||
      !literal->Skip('-') || !literal->Number(1, 2, &day)) {
    return false;
  }
  if (!IsCivilDate(static_cast<int>(year), static_cast<int>(month), static_cast<int>(day))) return false;
  *days = DaysFromCivil(static_cast<int>(year), static_cast<int>(month), static_cast<int>(day));
  return true;
}

bool ReadTime(Literal* literal, int64_t* micros) {
  int64_t hour = 0, minute = 0, second = 0, fraction = 0;
  if (!literal->Number(1, 2, &hour) || !literal->Skip(':') || !literal->Number(1, 2, &minute) ||
      !literal->Skip(':') || !literal->Number(1, 2, &second)) {
    return false;
  }
  if (literal->Skip('.') && !literal->Fraction(&fraction)) return false;
  if (hour > 23 || minute > 59 || second > 59) return false;
  *micros = ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + fraction;
  return true;
}

bool ReadDateTime(Literal* literal, int64_t* micros) {
  int32_t days = 0;
  if (!ReadDate(literal, &days)) return false;
  *micros = days * kMicrosPerDay;
  Literal ahead = *literal;
  if (!ahead.SkipAny(" Tt") || ahead.Peek() < '0' || ahead.Peek() > '9') return true;
  int64_t time = 0;
  if (!ReadTime(&ahead, &time)) return false;
  *literal = ahead;
  *micros += time;
  return true;
}

bool ReadZone(Literal* literal, int64_t* offset_micros) {
  *offset_micros = 0;
  literal->Skip(' ');
  if (literal->Rest() == "Z" || literal->Rest() == "z" || literal->Rest() == "UTC" || literal->Rest().empty())
    return true;
  const bool negative = literal->Peek() == '-';
  int64_t hours = 0, minutes = 0;
  if (!literal->SkipAny("+-") || !literal->Number(1, 2, &hours)) return false;
  if (literal->Skip(':') && !literal->Number(2, 2, &minutes)) return false;
  if (!literal->Done() || hours > 14 || minutes > 59) return false;
  *offset_micros = (hours * 60 + minutes) * 60 * kMicrosPerSecond * (negative ? -1 : 1);
  return true;
}

bool TimeFromBits(int64_t bits, int64_t fraction, int64_t* micros) {
  const int64_t hour = bits >> 12 & 0x1f, minute = bits >> 6 & 0x3f, second = bits & 0x3f;
  if (hour > 23 || minute > 59 || second > 59 || fraction >= kMicrosPerSecond) return false;
  *micros = ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + fraction;
  return true;
}

constexpr int64_t kMaxMonths = 10'000 * 12;
constexpr int64_t kMaxIntervalDays = 3'660'000;
constexpr int64_t kMaxIntervalMicros = 87'840'000LL * 3600 * kMicrosPerSecond;

bool CheckedInterval(int64_t months, int64_t days, int64_t micros, IntervalParts* interval) {
  if (std::llabs(months) > kMaxMonths || std::llabs(days) > kMaxIntervalDays ||
      std::llabs(micros) > kMaxIntervalMicros) {
    return false;
  }
  *interval = {static_cast<int32_t>(months), static_cast<int32_t>(days), micros};
  return true;
}

bool ParseCanonicalInterval(std::string_view text, IntervalParts* interval) {
  Literal literal(text);
  int64_t years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0, fraction = 0;
  const int64_t year_sign = literal.Skip('-') ? -1 : 1;
  if (!literal.Number(1, 5, &years) || !literal.Skip('-') || !literal.Number(1, 6, &months)) return false;
  if (!literal.Skip(' ')) return false;
  const int64_t day_sign = literal.Skip('-') ? -1 : 1;
  if (!literal.Number(1, 7, &days) || !literal.Skip(' ')) return false;
  const int64_t time_sign = literal.Skip('-') ? -1 : 1;
  if (!literal.Number(1, 8, &hours) || !literal.Skip(':') || !literal.Number(1, 2, &minutes) ||
      !literal.Skip(':') || !literal.Number(1, 2, &seconds)) {
    return false;
  }
  if (literal.Skip('.') && !literal.Fraction(&fraction)) return false;
  if (!literal.Done() || minutes > 59 || seconds > 59) return false;
  const int64_t micros = ((hours * 60 + minutes) * 60 + seconds) * kMicrosPerSecond + fraction;
  return CheckedInterval(year_sign * (years * 12 + months), day_sign * days, time_sign * micros, interval);
}

// One number and its unit, added to the parts. `in_time`: after the T, where M means minutes.
bool AddIsoPart(Literal* literal, bool in_time, int64_t* months, int64_t* days, int64_t* micros) {
  const int64_t sign = literal->Skip('-') ? -1 : 1;
  int64_t number = 0, fraction = 0;
  if (!literal->Number(1, 12, &number)) return false;
  if (literal->Skip('.') && (!literal->Fraction(&fraction) || literal->Peek() != 'S')) return false;
  number *= sign;
  const char unit = literal->Peek();
  literal->SkipAny("YMWDHS");
  if (!in_time) {
    if (unit == 'Y') return *months += number * 12, true;
    if (unit == 'M') return *months += number, true;
    if (unit == 'W') return *days += number * 7, true;
    return unit == 'D' && (*days += number, true);
  }
  if (number > kMaxIntervalMicros / 3600 || number < -kMaxIntervalMicros / 3600) return false;
  if (unit == 'H') return *micros += number * 3600 * kMicrosPerSecond, true;
  if (unit == 'M') return *micros += number * 60 * kMicrosPerSecond, true;
  return unit == 'S' && (*micros += number * kMicrosPerSecond + sign * fraction, true);
}

bool ParseIsoInterval(std::string_view text, IntervalParts* interval) {
  Literal literal(text);
  if (!literal.Skip('P') || literal.Done()) return false;
  int64_t months = 0, days = 0, micros = 0;
  bool in_time = false;
  while (!literal.Done()) {
    if (!in_time && literal.Skip('T')) {
      in_time = true;
      if (literal.Done()) return false;
    }
    if (!AddIsoPart(&literal, in_time, &months, &days, &micros)) return false;
    if (std::llabs(micros) > kMaxIntervalMicros) return false;
  }
  return CheckedInterval(months, days, micros, interval);
}

}  // namespace

int32_t DaysFromCivil(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  return std::chrono::sys_days(date).time_since_epoch().count();
}

CivilDate CivilFromDays(int32_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  return {static_cast<int>(date.year()), static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day()))};
}

bool IsCivilDate(int year, int month, int day) {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) return false;
  return std::chrono::year_month_day(std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
      .ok();
}

bool ParseDate(std::string_view text, int32_t* days) {
  Literal literal(Trim(text));
  return ReadDate(&literal, days) && literal.Done();
}

bool ParseTime(std::string_view text, int64_t* micros) {
  Literal literal(Trim(text));
  return ReadTime(&literal, micros) && literal.Done();
}

bool ParseDateTime(std::string_view text, int64_t* micros) {
  Literal literal(Trim(text));
  return ReadDateTime(&literal, micros) && literal.Done();
}

bool ParseTimestamp(std::string_view text, int64_t* micros) {
  Literal literal(Trim(text));
  int64_t offset = 0;
  if (!ReadDateTime(&literal, micros) || !ReadZone(&literal, &offset)) return false;
  *micros -= offset;
  return *micros >= kMinTimestamp && *micros <= kMaxTimestamp;
}

bool UnpackTime(int64_t packed, int64_t* micros) {
  if (packed < 0 || packed >> 37 != 0) return false;
  return TimeFromBits(packed >> 20, packed & 0xfffff, micros);
}

bool UnpackDateTime(int64_t packed, int64_t* micros) {
  if (packed < 0) return false;
  const int64_t bits = packed >> 20;
  const auto year = static_cast<int>(bits >> 26), month = static_cast<int>(bits >> 22 & 0xf),
             day = static_cast<int>(bits >> 17 & 0x1f);
  if (!IsCivilDate(year, month, day)) return false;
  int64_t time = 0;
  if (!TimeFromBits(bits & 0x1ffff, packed & 0xfffff, &time)) return false;
  *micros = DaysFromCivil(year, month, day) * kMicrosPerDay + time;
  return true;
}

bool ParseInterval(std::string_view text, IntervalParts* interval) {
  text = Trim(text);
  if (!text.empty() && text.front() == 'P') return ParseIsoInterval(text, interval);
  return ParseCanonicalInterval(text, interval);
}

}  // namespace hakobu::localbq
