// How tenants stand, from the ledger; and the report of a run for them.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "app/status_age.h"
#include "config/config.h"
#include "delivery/tenants/report.h"
#include "ledger/ledger.h"

namespace hakobu {

// A line a tenant; empty when there is none.
std::string TenantStatusText(const std::vector<TenantRecord>& tenants);
// A JSON array.
std::string TenantStatusJson(const std::vector<TenantRecord>& tenants);
// Tenants of the configuration whose newest whole delivery is older than `max_age`, or who have none.
std::vector<LateTable> LateTenants(const Config& config, const std::vector<TenantRecord>& tenants,
                                   absl::Duration max_age, absl::Time now);

std::string TenantsReportText(const TenantsReport& report);

}  // namespace hakobu
