#include "delivery/tenants/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hakobu {
namespace {

using nlohmann::ordered_json;

ordered_json ScanJson(const ScanReport& scan) {
  return {{"source", scan.source},
          {"tenantColumn", scan.column},
          {"tenants", scan.tenants},
          {"scanned", scan.scanned},
          {"handedOut", scan.handed_out},
          {"elsewhere", scan.elsewhere},
          {"nullRows", scan.nobody.null_rows},
          {"unknownRows", scan.nobody.unknown_rows},
          {"unknownValues", scan.nobody.values},
          {"error", scan.error}};
}

ordered_json TenantJson(const TenantReport& tenant) {
  return {{"tenant", tenant.id},
          {"parked", tenant.parked},
          {"reason", tenant.reason},
          {"run", ordered_json::parse(ReportToJson(tenant.run), nullptr, false)}};
}

}  // namespace

int ExitCode(const TenantsReport& report) {
  int worst = report.state == "done" ? 0 : 1;
  // 4 before 1 before 3 before 0.
  const auto graver = [](int left, int right) {
    const auto rank = [](int code) { return code == 4 ? 3 : code == 1 ? 2 : code == 3 ? 1 : 0; };
    return rank(left) >= rank(right) ? left : right;
  };
  for (const ScanReport& scan : report.scans) worst = graver(worst, scan.error.empty() ? 0 : 1);
  for (const TenantReport& tenant : report.tenants) {
    worst = graver(worst, tenant.parked ? 1 : 0);
    worst = graver(worst, ExitCode(tenant.run));
  }
  return worst;
}

std::string ReportToJson(const TenantsReport& report) {
  ordered_json scans = ordered_json::array();
  for (const ScanReport& scan : report.scans) scans.push_back(ScanJson(scan));
  ordered_json tenants = ordered_json::array();
  for (const TenantReport& tenant : report.tenants) tenants.push_back(TenantJson(tenant));
  const ordered_json json = {{"runId", report.run_id},
                             {"state", report.state},
                             {"seconds", absl::ToDoubleSeconds(report.finished - report.started)},
                             {"rowsExamined", report.source_load.rows_examined},
                             {"statements", report.source_load.statements},
                             {"notes", report.notes},
                             {"scans", std::move(scans)},
                             {"tenants", std::move(tenants)},
                             {"exitCode", ExitCode(report)}};
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace hakobu
