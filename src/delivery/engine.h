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

// Puts a table in place whose chunks are all finished, and writes down that it is.
absl::Status PublishAndRecord(RunContext* run, TableRun* table);
// Writes down that the table failed, or was cancelled; its first failure stays.
void FailTable(RunContext* run, TableRun* table, const absl::Status& status);

}  // namespace hakobu
