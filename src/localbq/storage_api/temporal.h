// BigQuery's dates and times as the forms a writer may send: text literals and the packed "CivilTime" of
// Google's CivilTimeEncoder. Days are since 1970-01-01, times microseconds since midnight, both may lie
// before the epoch.
#pragma once

#include <cstdint>
#include <string_view>

namespace hakobu::localbq {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
inline constexpr int32_t kMinDay = -719'162;   // 0001-01-01
inline constexpr int32_t kMaxDay = 2'932'896;  // 9999-12-31
inline constexpr int64_t kMinTimestamp = kMinDay * kMicrosPerDay;
inline constexpr int64_t kMaxTimestamp = (kMaxDay + 1) * kMicrosPerDay - 1;

int32_t DaysFromCivil(int year, int month, int day);
struct CivilDate {
  int year, month, day;
};
CivilDate CivilFromDays(int32_t days);
bool IsCivilDate(int year, int month, int day);

// YYYY-M[M]-D[D]
bool ParseDate(std::string_view text, int32_t* days);
// H[H]:M[M]:S[S][.up to 6 digits]
bool ParseTime(std::string_view text, int64_t* micros);
// a date, alone or followed by 'T', 't' or blank and a time
bool ParseDateTime(std::string_view text, int64_t* micros);
// a DATETIME literal and an optional zone: Z, UTC or [+-]H[H][:MM]
bool ParseTimestamp(std::string_view text, int64_t* micros);

// (hour << 12 | minute << 6 | second) << 20 | microsecond; stray bits are refused.
bool UnpackTime(int64_t packed, int64_t* micros);
// (year << 26 | month << 22 | day << 17 | hour << 12 | minute << 6 | second) << 20 | microsecond
bool UnpackDateTime(int64_t packed, int64_t* micros);

struct IntervalParts {
  int32_t months = 0;
  int32_t days = 0;
  int64_t micros = 0;
  bool operator==(const IntervalParts&) const = default;
};
// The canonical `[-]Y-M [-]D [-]H:M:S[.F]`, or ISO 8601 `P1Y2M3DT4H5M6.7S`.
bool ParseInterval(std::string_view text, IntervalParts* interval);

}  // namespace hakobu::localbq
