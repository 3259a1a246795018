// `hakobu run` for many tenants (docs/tenants.md).
//
// Threads: the caller's plans and scans table after table, with the readers of `source.connections`; what has
// been scanned is sent by up to `tenants.deliveries` threads, each with one table of one tenant, while the
// next table is scanned. Two tables are under way at most.
//
//   for each shared table:  scan it (every row to its tenant's pieces); do the rows add up?
//                           then for each tenant: compare, load, publish, from its pieces
//   for each tenant with a database of its own:  a run by itself
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "delivery/tenants/report.h"

namespace hakobu {

// By tenant's place, whether it is meant: by its id, by "tier:NAME", or by an empty list, which means all.
// InvalidArgument for a name that means none.
absl::StatusOr<std::vector<bool>> ChooseTenants(const Config& config, const std::vector<std::string>& names);

// As Run, for `tenants` of the configuration. One tenant's trouble is in its report, and stops no other.
absl::StatusOr<TenantsReport> RunTenants(const Config& config, const RunOptions& options,
                                         const std::vector<std::string>& tenants, const Cancellation& cancel);

}  // namespace hakobu
