// How a run for many tenants ended.
#pragma once

#include <string>
#include <vector>

#include "delivery/delivery.h"
#include "delivery/tenants/tenant_keys.h"

namespace hakobu {

// scanned = handed_out + nobody.rows() + elsewhere, or nothing of it was delivered.
struct ScanReport {
  std::string source;  // "gym.members"; with a filter of its own, "gym.members (filter 2)"
  std::string column;  // the tenant column
  uint64_t tenants = 0;
  uint64_t scanned = 0;
  uint64_t handed_out = 0;
  uint64_t elsewhere = 0;  // rows of tenants whose filter is another: another scan serves them
  NobodyRows nobody;
  std::string error;  // empty: it was scanned
};

struct TenantReport {
  std::string id;
  std::string reason;  // why it is parked; empty unless it is
  bool parked = false;
  RunReport run;  // its state is "done", "failed", "cancelled" or "not started"
};

struct TenantsReport {
  std::string run_id;  // of the scans; empty: no table is shared
  std::string state;
  absl::Time started;
  absl::Time finished;
  std::vector<ScanReport> scans;
  std::vector<TenantReport> tenants;  // in the order of the configuration
  SourceLoad source_load;             // of the scans
  PaceReport pace;                    // of the scans
  std::vector<std::string> notes;
};

// 0 everything was delivered to everybody; 1 something was not; 3 done but late or with quarantined values;
// 4 something was refused because it would lose data.
int ExitCode(const TenantsReport& report);
std::string ReportToJson(const TenantsReport& report);

}  // namespace hakobu
