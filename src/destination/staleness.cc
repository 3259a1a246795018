#include "destination/staleness.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/status.h"
#include "destination/jobs.h"

namespace hakobu {
namespace {

std::string OptionsSql(const TableName& table) {
  return fmt::format(
      "SELECT option_value FROM `{}.{}`.INFORMATION_SCHEMA.TABLE_OPTIONS WHERE table_name = ? AND "
      "option_name = 'max_staleness'",
      table.project, table.dataset);
}

QuerySpec SpecOf(const QueryPlace& place, std::string sql) {
  QuerySpec query;
  query.project = place.project;
  query.location = place.location;
  query.sql = std::move(sql);
  return query;
}

}  // namespace

std::string IntervalText(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(duration);
  return fmt::format("0-0 0 {}:{}:{}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

absl::StatusOr<absl::Duration> ParseInterval(std::string_view text) {
  std::string plain(text);
  if (const size_t quote = plain.find_first_of("\"'"); quote != std::string::npos) {
    plain = plain.substr(quote + 1, plain.find(plain[quote], quote + 1) - quote - 1);
  }
  int years = 0, months = 0, days = 0, hours = 0, minutes = 0, read = 0;
  double seconds = 0;
  const int fields = std::sscanf(plain.c_str(), "%d-%d %d %d:%d:%lf%n", &years, &months, &days, &hours,
                                 &minutes, &seconds, &read);
  if (fields != 6 || static_cast<size_t>(read) != plain.size()) {
    return absl::InvalidArgumentError(fmt::format("expected an interval Y-M D H:M:S, found '{}'", plain));
  }
  return absl::Hours(24) * (years * 360 + months * 30 + days) + absl::Hours(hours) + absl::Minutes(minutes) +
         absl::Seconds(seconds);
}

absl::StatusOr<absl::Duration> ReadMaxStaleness(Rest& rest, const QueryPlace& place, const TableName& table) {
  QuerySpec query = SpecOf(place, OptionsSql(table));
  query.parameters = {{"", "STRING", table.table}};
  absl::StatusOr<QueryAnswer> answer = RunQuery(rest, query);
  if (!answer.ok()) return Annotate(answer.status(), "read max_staleness of " + table.ToString());
  if (answer->rows.empty() || answer->rows[0].empty() || !answer->rows[0][0]) return absl::ZeroDuration();
  const std::string& text = *answer->rows[0][0];
  if (text == "NULL") return absl::ZeroDuration();
  return ParseInterval(text);
}

absl::Status SetMaxStaleness(Rest& rest, const QueryPlace& place, const TableName& table,
                             absl::Duration staleness) {
  const std::string what = "set max_staleness of " + table.ToString();
  const std::string value = staleness > absl::ZeroDuration()
                                ? fmt::format("INTERVAL '{}' YEAR TO SECOND", IntervalText(staleness))
                                : "NULL";
  const QuerySpec ddl =
      SpecOf(place, fmt::format("ALTER TABLE {} SET OPTIONS (max_staleness = {})", table.Quoted(), value));
  HAKOBU_RETURN_IF_ERROR(Annotate(RunTableDdl(rest, ddl, table), what));
  HAKOBU_ASSIGN_OR_RETURN(const absl::Duration found, ReadMaxStaleness(rest, place, table));
  if (found == staleness) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "{}: set {}, found {}", what, absl::FormatDuration(staleness), absl::FormatDuration(found)));
}

}  // namespace hakobu
