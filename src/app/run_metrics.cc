#include "app/run_metrics.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

#include "app/metrics_page.h"
#include "base/log.h"
#include "base/status.h"
#include "ledger/ledger.h"

namespace hakobu {
namespace {

constexpr size_t kNightsLookedThrough = 400;
constexpr mode_t kEverybodyReads = 0644;

double UnixTime(absl::Time time) {
  return static_cast<double>(absl::ToUnixMillis(time)) / 1000;
}

void AddRunTables(const RunReport& report, MetricsPage* page) {
  const auto each = [&](std::string_view name, std::string_view help, auto value) {
    page->Metric(name, "gauge", help);
    for (const TableReport& table : report.tables)
      page->Sample({{"table", table.source}, {"target", table.target}}, value(table));
  };
  using Table = const TableReport&;
  each("hakobu_run_table_failed", "1 when the last run did not deliver the table.",
       [](Table table) { return table.state == "done" ? 0 : 1; });
  each("hakobu_run_table_rows", "Rows that the last run delivered.", [](Table table) { return table.rows; });
  each("hakobu_run_table_bytes", "Encoded bytes that the last run delivered.",
       [](Table table) { return table.bytes; });
  each("hakobu_run_table_duration_seconds", "How long the table took.",
       [](Table table) { return table.seconds; });
  page->Metric("hakobu_run_quarantined_values", "gauge",
               "Values of the last run that BigQuery could not hold.");
  for (const TableReport& table : report.tables) {
    for (const QuarantinedValues& values : table.quarantined) {
      page->Sample({{"table", table.source},
                    {"column", values.column},
                    {"accepted", values.accepted ? "true" : "false"}},
                   values.count);
    }
  }
}

struct NightsKept {
  std::vector<DeliveredAt> delivered;
  absl::Time last_success = absl::InfinitePast();
};

absl::StatusOr<NightsKept> ReadNightsKept(const std::string& path) {
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger, Ledger::Open(path));
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<RunRecord> runs, ledger->runs().Runs(kNightsLookedThrough));
  NightsKept kept;
  std::map<std::string, absl::Time> newest;
  for (const RunRecord& run : runs) {
    if (run.state == RunState::kDone) kept.last_success = std::max(kept.last_success, run.finished);
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<RunTableRecord> tables, ledger->runs().Tables(run.id));
    for (const RunTableRecord& table : tables) {
      if (table.state == RunTableState::kDone) newest.emplace(table.source, run.started);
    }
  }
  kept.delivered.assign(newest.begin(), newest.end());
  return kept;
}

// In one step for who reads it.
absl::Status ReplaceFile(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file || chmod(beside.c_str(), kEverybodyReads) != 0 ||
      std::rename(beside.c_str(), path.c_str()) != 0) {
    return absl::UnavailableError(fmt::format("write {}", path));
  }
  return absl::OkStatus();
}

}  // namespace

std::string RunMetricsText(const RunTimes& times, const RunReport* report,
                           const std::vector<DeliveredAt>& delivered, absl::Time last_success) {
  MetricsPage page;
  page.Only("hakobu_run_start_time_seconds", "gauge", "When the last run was begun.", UnixTime(times.began));
  page.Only("hakobu_run_end_time_seconds", "gauge", "When it ended.", UnixTime(times.ended));
  page.Only("hakobu_run_exit_code", "gauge", "Its exit code.", times.exit_code);
  page.Only("hakobu_run_began", "gauge", "0 when it ended before any table was begun.",
            report == nullptr ? 0 : 1);
  if (last_success != absl::InfinitePast()) {
    page.Only("hakobu_run_success_time_seconds", "gauge", "When a run last delivered all of its tables.",
              UnixTime(last_success));
  }
  page.Metric("hakobu_run_table_as_of_time_seconds", "gauge",
              "The source as it was then is in BigQuery, or a later one.");
  for (const auto& [table, as_of] : delivered) page.Sample({{"table", table}}, UnixTime(as_of));
  if (report == nullptr) return page.Take();
  page.Only("hakobu_run_late", "gauge", "1 when it ended later than it may.", report->late ? 1 : 0);
  AddRunTables(*report, &page);
  return page.Take();
}

void WriteRunMetrics(const Config& config, const RunTimes& times, const RunReport* report) {
  if (config.metrics.textfile.empty()) return;
  NightsKept kept;
  absl::Status status;
  if (std::filesystem::exists(config.ledger)) {
    absl::StatusOr<NightsKept> read = ReadNightsKept(config.ledger);
    status = read.status();
    if (read.ok()) kept = *std::move(read);
  }
  if (status.ok()) {
    status = ReplaceFile(config.metrics.textfile,
                         RunMetricsText(times, report, kept.delivered, kept.last_success));
  }
  if (!status.ok()) {
    Log(LogSeverity::kWarning, "metrics.textfile is not written",
        {{"error", std::string(View(status.message()))}});
  }
}

}  // namespace hakobu
