// The threads of a run: readers that share the chunks of all tables, publishers behind them, one that shows
// progress and one that passes a cancellation on.
#pragma once

#include "delivery/delivery.h"
#include "delivery/run_context.h"
#include "delivery/run_tables.h"

namespace hakobu {

// Delivers all tables as far as it can; how each one ended is in its TableRun. Returns when all threads have
// ended.
void DeliverTables(RunContext* run, const TableRuns& tables, RunObserver* observer);

}  // namespace hakobu
