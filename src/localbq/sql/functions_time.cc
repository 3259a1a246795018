// Dates and times from text and to text.
#include <fmt/format.h>

#include "absl/time/time.h"
#include "base/status.h"
#include "localbq/sql/civil.h"
#include "localbq/sql/interval.h"
#include "localbq/sql/scalar_function.h"
#include "localbq/sql/time_format.h"

namespace hakobu::localbq::sql {
namespace {

constexpr int64_t kFirstDay = -719162, kLastDay = 2932896;  // 0001-01-01, 9999-12-31

void SetMicros(Row& row, int64_t micros) {
  row.Set(micros);
}
void SetDay(Row& row, const CivilTime& civil) {
  row.Set(static_cast<int32_t>(DaysFromCivil(civil.year, civil.month, civil.day)));
}

void DateOfText(Row& row) {
  std::optional<CivilTime> civil = ParseDate(row.Text(0));
  if (!civil) return row.Fail(fmt::format("Invalid date: '{}'", row.Text(0)));
  SetDay(row, *civil);
}

void DateTimeOfText(Row& row) {
  std::optional<CivilTime> civil = ParseDateTime(row.Text(0));
  if (!civil) return row.Fail(fmt::format("Invalid datetime string \"{}\"", row.Text(0)));
  SetMicros(row, MicrosFromCivil(*civil));
}

void TimeOfText(Row& row) {
  std::optional<CivilTime> civil = ParseTime(row.Text(0));
  if (!civil) return row.Fail(fmt::format("Invalid time string \"{}\"", row.Text(0)));
  SetMicros(row, MicrosFromCivil(*civil));
}

std::optional<int64_t> MicrosInZone(const CivilTime& civil, std::string_view zone) {
  if (zone.starts_with("GMT") && zone.size() > 3) zone.remove_prefix(3);
  if (std::optional<int64_t> offset = ParseOffset(zone)) return MicrosFromCivil(civil) - *offset * 1'000'000;
  absl::TimeZone found;
  if (!absl::LoadTimeZone(View(zone), &found)) return std::nullopt;
  absl::CivilSecond second(civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second);
  return absl::ToUnixMicros(absl::FromCivil(second, found)) + civil.micros;
}

void TimestampOfText(Row& row) {
  std::optional<ParsedTimestamp> parsed = ParseTimestamp(row.Text(0));
  if (!parsed) return row.Fail(fmt::format("Invalid timestamp: '{}'", row.Text(0)));
  if (parsed->has_offset)
    return SetMicros(row, MicrosFromCivil(parsed->civil) - parsed->offset_seconds * 1'000'000);
  std::optional<int64_t> micros =
      MicrosInZone(parsed->civil, parsed->zone.empty() ? row.Text(1) : std::string_view(parsed->zone));
  if (!micros)
    return row.Fail(fmt::format("Invalid time zone: {}", parsed->zone.empty() ? row.Text(1) : parsed->zone));
  SetMicros(row, *micros);
}

// A zone as DuckDB's ICU takes it.
void Zone(Row& row) {
  std::string_view zone = row.Text(0);
  std::optional<int64_t> offset = ParseOffset(zone);
  if (!offset) {
    absl::TimeZone found;
    if (!absl::LoadTimeZone(View(zone), &found)) return row.Fail(fmt::format("Invalid time zone: {}", zone));
    return row.SetText(zone);
  }
  if (*offset == 0) return row.SetText("UTC");
  int64_t minutes = std::abs(*offset) / 60;
  row.SetText(fmt::format("GMT{}{:02}:{:02}", *offset < 0 ? '-' : '+', minutes / 60, minutes % 60));
}

void MakeDate(Row& row) {
  auto year = row.Get<int64_t>(0), month = row.Get<int64_t>(1), day = row.Get<int64_t>(2);
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
      day > DaysInMonth(year, static_cast<int>(month))) {
    return row.Fail(fmt::format("Input calculates to invalid date: {:04}-{:02}-{:02}", year, month, day));
  }
  row.Set(static_cast<int32_t>(DaysFromCivil(year, static_cast<int>(month), static_cast<int>(day))));
}

std::optional<int64_t> Clock(int64_t hour, int64_t minute, int64_t second) {
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return std::nullopt;
  return ((hour * 60 + minute) * 60 + second) * 1'000'000;
}

void MakeTime(Row& row) {
  auto hour = row.Get<int64_t>(0), minute = row.Get<int64_t>(1), second = row.Get<int64_t>(2);
  std::optional<int64_t> clock = Clock(hour, minute, second);
  if (!clock)
    return row.Fail(fmt::format("Input calculates to invalid time: {:02}:{:02}:{:02}", hour, minute, second));
  row.Set(*clock);
}

void MakeDateTime(Row& row) {
  auto year = row.Get<int64_t>(0), month = row.Get<int64_t>(1), day = row.Get<int64_t>(2);
  std::optional<int64_t> clock = Clock(row.Get<int64_t>(3), row.Get<int64_t>(4), row.Get<int64_t>(5));
  if (!clock || year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
      day > DaysInMonth(year, static_cast<int>(month))) {
    return row.Fail(fmt::format("Input calculates to invalid datetime: {:04}-{:02}-{:02}", year, month, day));
  }
  row.Set(DaysFromCivil(year, static_cast<int>(month), static_cast<int>(day)) * 86'400'000'000 + *clock);
}

void DateInRange(Row& row) {
  auto day = row.Get<int32_t>(0);
  if (day < kFirstDay || day > kLastDay) return row.Fail("Date arithmetic caused overflow");
  row.Set(day);
}

void TimestampOfMicros(Row& row) {
  auto micros = row.Get<int64_t>(0);
  if (micros < kFirstDay * 86'400'000'000 || micros >= (kLastDay + 1) * 86'400'000'000) {
    return row.Fail(fmt::format("Timestamp is out of range: {}", micros));
  }
  row.Set(micros);
}

void Format(Row& row) {
  std::string bad;
  std::string_view zone = row.Text(3);
  std::optional<std::string> text =
      FormatTime(row.Text(0), CivilFromMicros(row.Get<int64_t>(1)), row.Get<int64_t>(2), zone, &bad);
  if (!text) return row.Fail(fmt::format("Format element {} is not supported", bad));
  row.SetText(*text);
}

void Parse(Row& row) {
  std::string bad;
  std::optional<ParsedTime> parsed = ParseWithFormat(row.Text(0), row.Text(1), &bad);
  if (!bad.empty()) return row.Fail(fmt::format("Format element {} is not supported", bad));
  if (!parsed) return row.Fail(fmt::format("Failed to parse input string \"{}\"", row.Text(1)));
  int64_t offset = row.Get<bool>(2) ? parsed->offset_seconds.value_or(0) : 0;
  row.Set(MicrosFromCivil(parsed->civil) - offset * 1'000'000);
}

void HasOffset(Row& row) {
  std::string_view format = row.Text(0);
  bool found = false;
  for (size_t i = 0; i + 1 < format.size(); ++i) {
    if (format[i] != '%') continue;
    char c = format[++i];
    found = found || c == 'z' || c == 's' || (c == 'E' && i + 1 < format.size() && format[i + 1] == 'z');
  }
  row.Set(found);
}

void IntervalOfText(Row& row) {
  std::optional<IntervalParts> parts = ParseInterval(row.Text(0));
  if (!parts) return row.Fail(fmt::format("Invalid INTERVAL value '{}'", row.Text(0)));
  row.Set(
      duckdb_interval{static_cast<int32_t>(parts->months), static_cast<int32_t>(parts->days), parts->micros});
}

void TextOfInterval(Row& row) {
  auto value = row.Get<duckdb_interval>(0);
  row.SetText(IntervalText({value.months, value.days, value.micros}));
}

}  // namespace

const ScalarFunction kTimeFunctions[] = {
    {"bq_date", "DS", DateOfText},
    {"bq_datetime", "TS", DateTimeOfText},
    {"bq_time", "MS", TimeOfText},
    {"bq_timestamp", "ZSS", TimestampOfText},
    {"bq_zone", "SS", Zone},
    {"bq_datetime_text", "ST",
     [](Row& row) { row.SetText(DateTimeText(CivilFromMicros(row.Get<int64_t>(0)))); }},
    {"bq_time_text", "SM", [](Row& row) { row.SetText(TimeText(CivilFromMicros(row.Get<int64_t>(0)))); }},
    {"bq_interval", "VS", IntervalOfText},
    {"bq_interval_text", "SV", TextOfInterval},
    {"bq_make_date", "DIII", MakeDate},
    {"bq_make_time", "MIII", MakeTime},
    {"bq_make_datetime", "TIIIIII", MakeDateTime},
    {"bq_date_in_range", "DD", DateInRange},
    {"bq_timestamp_micros", "ZI", TimestampOfMicros},
    {"bq_format_time", "SSTIS", Format},
    {"bq_parse_time", "TSSB", Parse},
    {"bq_has_offset", "BS", HasOffset},
};
const size_t kTimeFunctionCount = std::size(kTimeFunctions);

}  // namespace hakobu::localbq::sql
