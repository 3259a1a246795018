#include "app/run_conditions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "absl/time/civil_time.h"
#include "app/alert_text.h"
#include "base/glob.h"
#include "base/status.h"

namespace hakobu {
namespace {

// From here on it is one cause more likely than many.
constexpr size_t kMostSingleTables = 3;
constexpr size_t kMostListed = 20;

std::string TableCause(const std::string& source) {
  return "run:table:" + source;
}

std::string ValuesCause(const std::string& source, const std::string& column) {
  return fmt::format("run:values:{}.{}", source, column);
}

Condition FailedTable(const TableReport& table) {
  return {.cause = TableCause(table.source),
          .level = NoticeLevel::kCritical,
          .title = table.refused ? fmt::format("{} was refused, because data would be lost", table.source)
                                 : fmt::format("{} was not delivered", table.source),
          .detail = WithoutQuoted(table.error)};
}

Condition FailedTables(const std::vector<const TableReport*>& failed, size_t all) {
  std::string detail;
  for (size_t i = 0; i < std::min(failed.size(), kMostListed); ++i)
    detail += fmt::format("{}: {}\n", failed[i]->source,
                          WithoutQuoted(failed[i]->error.substr(0, failed[i]->error.find('\n'))));
  if (failed.size() > kMostListed) detail += fmt::format("and {} more\n", failed.size() - kMostListed);
  return {.cause = "run:tables",
          .level = NoticeLevel::kCritical,
          .title = fmt::format("{} of {} tables were not delivered", failed.size(), all),
          .detail = detail};
}

Condition BadValues(const TableReport& table, const QuarantinedValues& values) {
  // Neither keys nor the example: a chat is no place for a customer's data.
  return {
      .cause = ValuesCause(table.source, values.column),
      .level = NoticeLevel::kWarning,
      .title = fmt::format("{} value{} of {}.{} cannot be held by BigQuery", values.count,
                           values.count == 1 ? "" : "s", table.source, values.column),
      .detail = "The run's report has their first keys; `accept` in the configuration takes what is known."};
}

// The day that is the last is part of it.
bool IsPast(const std::string& until, absl::Time now) {
  absl::CivilDay last;
  if (until.empty() || !absl::ParseCivilTime(until, &last)) return false;
  return absl::ToCivilDay(now, absl::UTCTimeZone()) > last;
}

bool Accepts(const AcceptRule& rule, const std::string& source, const QuarantinedValues& values,
             absl::Time now) {
  const size_t dot = rule.values.rfind('.');
  if (dot == std::string::npos || IsPast(rule.until, now)) return false;
  if (rule.count > 0 && values.count > static_cast<uint64_t>(rule.count)) return false;
  const std::string_view pattern = rule.values;
  const size_t split = pattern.find('.');
  const size_t source_split = source.find('.');
  return GlobMatches(pattern.substr(0, split), std::string_view(source).substr(0, source_split)) &&
         GlobMatches(pattern.substr(split + 1, dot - split - 1),
                     std::string_view(source).substr(source_split + 1)) &&
         GlobMatches(pattern.substr(dot + 1), values.column);
}

}  // namespace

void MarkAccepted(const Config& config, RunReport* report) {
  for (TableReport& table : report->tables) {
    for (QuarantinedValues& values : table.quarantined) {
      values.accepted = std::any_of(config.accept.begin(), config.accept.end(), [&](const AcceptRule& rule) {
        return Accepts(rule, table.source, values, report->finished);
      });
    }
  }
}

Observation ObserveRun(const RunReport& report, bool whole) {
  Observation seen;
  seen.looked_at.push_back("run:start");
  std::vector<const TableReport*> failed;
  for (const TableReport& table : report.tables) {
    if (table.state == "failed") failed.push_back(&table);
    if (table.state != "done") continue;
    seen.looked_at.push_back(TableCause(table.source));
    seen.looked_at.push_back(ValuesCause(table.source, "*"));
    for (const QuarantinedValues& values : table.quarantined) {
      if (!values.accepted) seen.present.push_back(BadValues(table, values));
    }
  }
  if (report.state == "cancelled") return seen;  // somebody knows
  if (report.state == "interrupted") {
    seen.present.push_back(
        {.cause = "run:interrupted",
         .level = NoticeLevel::kCritical,
         .title = "the run was interrupted: a side stayed away. The next run continues it",
         .detail = failed.empty() ? "" : FailedTables(failed, report.tables.size()).detail});
    return seen;
  }
  seen.looked_at.push_back("run:interrupted");
  if (failed.size() > kMostSingleTables) {
    seen.present.push_back(FailedTables(failed, report.tables.size()));
  } else {
    for (const TableReport* table : failed) seen.present.push_back(FailedTable(*table));
    if (whole) seen.looked_at.push_back("run:tables");
  }
  if (report.late) {
    seen.present.push_back(
        {.cause = "run:promise",
         .level = NoticeLevel::kCritical,
         .title = "the run ended later than it may",
         .detail = report.pace.late_tables.empty()
                       ? "It took longer than limits.finish_within."
                       : fmt::format("Late: {}", fmt::join(report.pace.late_tables, ", "))});
  } else if (failed.empty()) {
    seen.looked_at.push_back("run:promise");
  }
  // Also of tables that are not configured any more.
  if (whole && report.state == "done") seen.looked_at.push_back("run:*");
  return seen;
}

Observation ObserveNoRun(const absl::Status& status) {
  Observation seen;
  seen.present.push_back({.cause = "run:start",
                          .level = NoticeLevel::kCritical,
                          .title = "the run did not begin, nothing was delivered",
                          .detail = WithoutQuoted(View(status.message()))});
  return seen;
}

Observation ObserveMissedPromise(const std::string& promise, const std::vector<std::string>& missing) {
  Observation seen;
  seen.present.push_back({.cause = "run:promise",
                          .level = NoticeLevel::kCritical,
                          .title = fmt::format("it is {}, and {} table{} are not published yet", promise,
                                               missing.size(), missing.size() == 1 ? "" : "s"),
                          .detail = fmt::format("Missing: {}", fmt::join(missing, ", "))});
  return seen;
}

}  // namespace hakobu
