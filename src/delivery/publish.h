// From chunks that are all finished to a table that readers see: commit, verify, copy or merge, metadata,
// drop. Every step is in the ledger before it is taken, and taking it twice does no harm.
#pragma once

#include "absl/status/status.h"
#include "delivery/run_context.h"

namespace hakobu {

absl::Status PublishTable(RunContext* run, TableRun* table);

}  // namespace hakobu
