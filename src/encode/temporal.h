// Dates and times: BigQuery's packed civil times, and their texts.
#pragma once

#include <cstdint>

namespace hakobu {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
// TIMESTAMP and DATETIME: 0001-01-01 00:00:00 to 9999-12-31 23:59:59.999999.
constexpr int64_t kMinMicros = -62'135'596'800 * kMicrosPerSecond;
constexpr int64_t kMaxMicros = 253'402'300'799 * kMicrosPerSecond + 999'999;
constexpr int64_t kMinDays = -719'162;
constexpr int64_t kMaxDays = 2'932'896;

// Packed as Google's CivilTimeEncoder packs: DATETIME
// (year<<26|month<<22|day<<17|hour<<12|minute<<6|second)<<20|micros, TIME the same without a date. `micros`
// since 1970-01-01T00:00:00, or since midnight.
int64_t PackDateTime(int64_t micros);
int64_t PackTime(int64_t micros);

// Dates are those of years 1 to 9999. Each writes at most 32 bytes to `out` and returns the end. `fraction`:
// digits of the second, 0 to 6; more precise micros are not rounded but cut, as the source column cannot hold
// them.
char* WriteDate(int64_t days, char* out);                           // 2024-02-29
char* WriteDateTime(int64_t micros, uint32_t fraction, char* out);  // 2024-02-29 23:59:59.999
char* WriteTime(int64_t micros, uint32_t fraction, char* out);      // -838:59:59.000000
char* WriteInterval(int64_t micros, char* out);                     // 0-0 0 -838:59:59.5

}  // namespace hakobu
