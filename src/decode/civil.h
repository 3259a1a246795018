// Days of the proleptic Gregorian calendar, as cell.h counts them.
#pragma once

#include <cstdint>

namespace hakobu {

// Howard Hinnant's days_from_civil ("chrono-Compatible Low-Level Date Algorithms"); `year` >= 0, a real date.
constexpr int64_t DaysFromCivil(uint32_t year, uint32_t month, uint32_t day) {
  const uint32_t shifted = month <= 2 ? year + 399 : year + 400;  // March begins the year; never negative
  const uint32_t era = shifted / 400;
  const uint32_t year_of_era = shifted - era * 400;
  const uint32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return static_cast<int64_t>(era) * 146'097 + day_of_era - 719'468 - 146'097;
}

constexpr uint32_t DaysInMonth(uint32_t year, uint32_t month) {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// A day BigQuery and cell.h know: year 1 to 9999, no zero month or day.
constexpr bool IsRealDate(uint32_t year, uint32_t month, uint32_t day) {
  return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
         (day <= 28 || day <= DaysInMonth(year, month));
}

}  // namespace hakobu
