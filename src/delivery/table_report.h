// How one table of a run ended.
#pragma once

#include <string>

#include "delivery/delivery.h"
#include "delivery/run_context.h"

namespace hakobu {

TableReport ReportOf(RunContext* run, TableRun* table);

// Sorts by time, also of two runs within one second, and fits table names and label values.
std::string NewRunId(absl::Time now);

}  // namespace hakobu
