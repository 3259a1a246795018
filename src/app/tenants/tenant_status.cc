#include "app/tenants/tenant_status.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/text_table.h"
#include "base/enum_name.h"

namespace hakobu {
namespace {

std::string LocalText(absl::Time time) {
  if (time == absl::InfinitePast()) return "never";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::LocalTimeZone());
}

nlohmann::ordered_json UtcJson(absl::Time time) {
  if (time == absl::InfinitePast()) return nullptr;
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

std::string Beginning(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string ScansText(const TenantsReport& report) {
  if (report.scans.empty()) return "";
  TextTable table({{"shared table", Align::kLeft},
                   {"tenants", Align::kRight},
                   {"rows scanned", Align::kRight},
                   {"handed out", Align::kRight},
                   {"NULL", Align::kRight},
                   {"unknown", Align::kRight},
                   {"of other scans", Align::kRight}});
  std::string details;
  for (const ScanReport& scan : report.scans) {
    table.AddRow({scan.source, CountText(scan.tenants), CountText(scan.scanned), CountText(scan.handed_out),
                  CountText(scan.nobody.null_rows), CountText(scan.nobody.unknown_rows),
                  CountText(scan.elsewhere)});
    if (!scan.error.empty()) details += fmt::format("  {}: {}\n", scan.source, scan.error);
    if (scan.nobody.values.empty()) continue;
    std::vector<std::string> values;
    for (const auto& [value, rows] : scan.nobody.values)
      values.push_back(fmt::format("'{}' {}", value, CountText(rows)));
    details += fmt::format("  {}: no tenant has {} {}\n", scan.source, scan.column, fmt::join(values, ", "));
  }
  return table.Render() + (details.empty() ? "" : "\n" + details);
}

std::string TenantsText(const TenantsReport& report) {
  TextTable table({{"tenant", Align::kLeft},
                   {"state", Align::kLeft},
                   {"tables", Align::kRight},
                   {"unchanged", Align::kRight},
                   {"rows", Align::kRight},
                   {"bytes", Align::kRight}});
  std::string details;
  for (const TenantReport& tenant : report.tenants) {
    uint64_t rows = 0;
    uint64_t bytes = 0;
    uint64_t unchanged = 0;
    for (const TableReport& each : tenant.run.tables) {
      rows += each.rows;
      bytes += each.bytes;
      unchanged += each.unchanged ? 1 : 0;
      if (!each.error.empty()) details += fmt::format("  {}: {}: {}\n", tenant.id, each.source, each.error);
      for (const QuarantinedValues& values : each.quarantined)
        details += fmt::format("  {}: {}.{}: {} values that BigQuery cannot hold\n", tenant.id, each.source,
                               values.column, CountText(values.count));
    }
    if (tenant.parked) details += fmt::format("  {}: parked: {}\n", tenant.id, tenant.reason);
    table.AddRow({tenant.id, tenant.parked ? "parked" : tenant.run.state, CountText(tenant.run.tables.size()),
                  CountText(unchanged), CountText(rows), BytesText(bytes)});
  }
  return table.Render() + (details.empty() ? "" : "\n" + details);
}

}  // namespace

std::string TenantStatusText(const std::vector<TenantRecord>& tenants) {
  if (tenants.empty()) return "";
  TextTable table({{"tenant", Align::kLeft},
                   {"state", Align::kLeft},
                   {"since", Align::kLeft},
                   {"last delivered", Align::kLeft},
                   {"why", Align::kLeft}});
  for (const TenantRecord& tenant : tenants) {
    table.AddRow({tenant.id, std::string(NameOf(tenant.state)), LocalText(tenant.since),
                  LocalText(tenant.delivered), Beginning(tenant.reason)});
  }
  return "\nTenants\n" + table.Render();
}

std::string TenantStatusJson(const std::vector<TenantRecord>& tenants) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const TenantRecord& tenant : tenants) {
    list.push_back({{"tenant", tenant.id},
                    {"state", NameOf(tenant.state)},
                    {"since", UtcJson(tenant.since)},
                    {"delivered", UtcJson(tenant.delivered)},
                    {"reason", tenant.reason},
                    {"run", tenant.run_id}});
  }
  return list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::vector<LateTable> LateTenants(const Config& config, const std::vector<TenantRecord>& tenants,
                                   absl::Duration max_age, absl::Time now) {
  std::vector<LateTable> late;
  for (const TenantConfig& tenant : config.tenants->list) {
    const auto record = std::find_if(tenants.begin(), tenants.end(),
                                     [&](const TenantRecord& each) { return each.id == tenant.id; });
    const std::string name = "tenant " + tenant.id;
    if (record == tenants.end()) {
      late.push_back({name, absl::InfinitePast(), "it was never delivered"});
    } else if (now - record->delivered > max_age) {
      late.push_back({name, record->delivered, record->reason});
    }
  }
  return late;
}

std::string TenantsReportText(const TenantsReport& report) {
  const auto whole =
      std::count_if(report.tenants.begin(), report.tenants.end(),
                    [](const TenantReport& tenant) { return !tenant.parked && tenant.run.state == "done"; });
  std::string notes;
  for (const std::string& note : report.notes) notes += fmt::format("  {}\n", note);
  return ScansText(report) + "\n" + TenantsText(report) + (notes.empty() ? "" : "\nNotes\n" + notes) +
         fmt::format(
             "\nSource: {} statements, {} rows examined for the shared tables\n"
             "Run {}: {}. {} of {} tenants have everything. {}\n",
             CountText(report.source_load.statements), CountText(report.source_load.rows_examined),
             report.run_id, report.state, whole, report.tenants.size(),
             SecondsText(absl::ToDoubleSeconds(report.finished - report.started)));
}

}  // namespace hakobu
