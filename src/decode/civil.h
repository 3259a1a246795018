// Days of the proleptic Gregorian calendar, as cell.h counts them.
#pragma once

#include <chrono>
#include <cstdint>

namespace hakobu {

// A real date.
constexpr int64_t DaysFromCivil(uint32_t year, uint32_t month, uint32_t day) {
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)), std::chrono::month(month),
                                         std::chrono::day(day)};
  return std::chrono::sys_days(date).time_since_epoch().count();
}

// A day BigQuery and cell.h know: year 1 to 9999, no zero month or day.
constexpr bool IsRealDate(uint32_t year, uint32_t month, uint32_t day) {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) return false;
  if (day <= 28) return true;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)), std::chrono::month(month),
                                         std::chrono::day(day)};
  return date.ok();
}

}  // namespace hakobu
