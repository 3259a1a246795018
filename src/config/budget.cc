#include "config/budget.h"

#include <charconv>

namespace hakobu {
namespace {

std::optional<int> TwoDigits(std::string_view text, int most) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size() && text.size() == 2;
  return whole && number >= 0 && number <= most ? std::optional<int>(number) : std::nullopt;
}

}  // namespace

std::optional<DailyHour> ParseDailyHour(std::string_view text) {
  if (text.size() < 7 || text[2] != ':' || text[5] != ' ') return std::nullopt;
  const std::optional<int> hour = TwoDigits(text.substr(0, 2), 23);
  const std::optional<int> minute = TwoDigits(text.substr(3, 2), 59);
  DailyHour daily;
  daily.zone_name = std::string(text.substr(6));
  if (!hour || !minute || !absl::LoadTimeZone(daily.zone_name, &daily.zone)) return std::nullopt;
  daily.minute = *hour * 60 + *minute;
  return daily;
}

absl::Time DailyHour::After(absl::Time time) const {
  absl::CivilDay day = absl::ToCivilDay(time, zone);
  for (;; ++day) {
    const absl::CivilMinute at(day.year(), day.month(), day.day(), minute / 60, minute % 60);
    const absl::Time moment = absl::FromCivil(absl::CivilSecond(at), zone);
    if (moment > time) return moment;
  }
}

}  // namespace hakobu
