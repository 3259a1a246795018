#include "source/civil_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace hakobu {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86'400 * kSecond;

// Takes digits from the front.
int64_t TakeNumber(std::string_view* text) {
  int64_t number = 0;
  while (!text->empty() && text->front() >= '0' && text->front() <= '9') {
    number = number * 10 + (text->front() - '0');
    text->remove_prefix(1);
  }
  return number;
}

bool TakeMark(std::string_view* text, char mark) {
  if (text->empty() || text->front() != mark) return false;
  text->remove_prefix(1);
  return true;
}

std::optional<int64_t> TakeDays(std::string_view* text) {
  const int64_t year = TakeNumber(text);
  if (!TakeMark(text, '-')) return std::nullopt;
  const int64_t month = TakeNumber(text);
  if (!TakeMark(text, '-')) return std::nullopt;
  const int64_t day = TakeNumber(text);
  const std::chrono::year_month_day first(
      std::chrono::year(static_cast<int>(year)),
      std::chrono::month(static_cast<unsigned>(std::clamp<int64_t>(month, 1, 12))), std::chrono::day(1));
  return std::chrono::sys_days(first).time_since_epoch().count() + day - 1;
}

std::optional<int64_t> TakeMicros(std::string_view* text) {
  int64_t micros = TakeNumber(text) * 3600 * kSecond;
  if (!TakeMark(text, ':')) return std::nullopt;
  micros += TakeNumber(text) * 60 * kSecond;
  if (!TakeMark(text, ':')) return std::nullopt;
  micros += TakeNumber(text) * kSecond;
  if (TakeMark(text, '.')) {
    const size_t digits = text->size();
    int64_t fraction = TakeNumber(text);
    for (size_t i = digits; i < 6; ++i) fraction *= 10;
    micros += fraction;
  }
  return text->empty() ? std::optional(micros) : std::nullopt;
}

std::string DaysText(int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::string MicrosText(int64_t micros, uint32_t fraction) {
  const int64_t seconds = micros / kSecond;
  std::string text = fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (fraction > 0) text += fmt::format(".{:06}", micros % kSecond).substr(0, fraction + 1);
  return text;
}

}  // namespace

std::optional<int64_t> CivilNumber(SourceType type, std::string_view text) {
  if (type == SourceType::kTime) {
    const bool negative = TakeMark(&text, '-');
    const auto micros = TakeMicros(&text);
    if (!micros) return std::nullopt;
    return negative ? -*micros : *micros;
  }
  const auto days = TakeDays(&text);
  if (!days) return std::nullopt;
  if (type == SourceType::kDate) return text.empty() ? days : std::nullopt;
  if (!TakeMark(&text, ' ')) return std::nullopt;
  const auto micros = TakeMicros(&text);
  if (!micros) return std::nullopt;
  return *days * kDay + *micros;
}

std::string CivilText(SourceType type, int64_t number, uint32_t fraction) {
  if (type == SourceType::kDate) return DaysText(number);
  if (type == SourceType::kTime) return (number < 0 ? "-" : "") + MicrosText(std::abs(number), fraction);
  const int64_t days = number >= 0 ? number / kDay : -((-number + kDay - 1) / kDay);
  return DaysText(days) + " " + MicrosText(number - days * kDay, fraction);
}

}  // namespace hakobu
