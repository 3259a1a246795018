// BigQuery's text forms of dates, times and timestamps. Pure.
// https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/lexical#literals
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hakobu::localbq::sql {

struct CivilTime {
  int64_t year = 1970;
  int month = 1, day = 1, hour = 0, minute = 0, second = 0, micros = 0;
};

// Days since 1970-01-01, and back.
int64_t DaysFromCivil(int64_t year, int month, int day);
CivilTime CivilFromDays(int64_t days);
CivilTime CivilFromMicros(int64_t micros);
int64_t MicrosFromCivil(const CivilTime& civil);
int DaysInMonth(int64_t year, int month);

// "2024-1-5", "2024-01-05"; years 1 to 9999.
std::optional<CivilTime> ParseDate(std::string_view text);
// "1:02:03.456789"
std::optional<CivilTime> ParseTime(std::string_view text);
// A date, or date and time with ' ', 'T' or 't' between.
std::optional<CivilTime> ParseDateTime(std::string_view text);

struct ParsedTimestamp {
  CivilTime civil;
  bool has_offset = false;
  int64_t offset_seconds = 0;  // east is positive
  std::string zone;            // a named zone; empty: none was given
};
// A DATETIME with an optional "Z", "+09:00", "+9" or " Asia/Tokyo".
std::optional<ParsedTimestamp> ParseTimestamp(std::string_view text);
// "+09:00", "-8", "UTC": a fixed offset, east positive.
std::optional<int64_t> ParseOffset(std::string_view text);

std::string DateText(const CivilTime& civil);      // 2024-01-05
std::string TimeText(const CivilTime& civil);      // 01:02:03, .ffffff or .fff when not zero
std::string DateTimeText(const CivilTime& civil);  // 2024-01-05 01:02:03.456

}  // namespace hakobu::localbq::sql
