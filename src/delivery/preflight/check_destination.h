// BigQuery's half of the preflight.
#pragma once

#include <vector>

#include "delivery/preflight/finding.h"
#include "delivery/sides.h"
#include "delivery/table_work.h"

namespace hakobu {

// Dataset, location, who pays, and each table against what BigQuery has already. May take columns away from
// `tables` as their configuration says.
void CheckDestination(const Config& config, Destination* sides, std::vector<TableWork>* tables,
                      const std::vector<TableWork>& streamed, Findings* findings);

}  // namespace hakobu
