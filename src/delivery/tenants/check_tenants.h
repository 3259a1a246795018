// The preflight for many tenants: the source and its shared tables once, then each tenant's side of BigQuery.
#pragma once

#include <vector>

#include "base/cancel.h"
#include "config/config.h"
#include "delivery/preflight/finding.h"
#include "delivery/sides.h"

namespace hakobu {

// `chosen`: by tenant's place. What concerns one tenant has its id before the subject: "acme destination".
Findings CheckTenants(const Config& config, const std::vector<bool>& chosen,
                      const DestinationAddresses& addresses, const Cancellation& cancel);

}  // namespace hakobu
