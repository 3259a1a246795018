// The preflight: looks at both sides and at every table, and says everything at once. Writes nothing but a
// scratch table in the staging dataset, on which it tries what runs and streams will do.
//
// One list of checks for `check`, `plan`, `run`, `stream` and tables that appear while a stream runs:
// - selection: which tables are wanted, left out, or share a target. All of them.
// - table_checks: names, key types, what the target is. All, through MapTable, MakeLaneSchema,
// CompareSchemas.
// - condition_check: whether the server takes `where`. `check`, `plan`, `run`.
// - check_source: connection, settings, privileges, cursors. `check`.
// - check_stream: the log's settings, as a stream's start asks for them (start_point); cascades. `check`.
// - check_destination: dataset, jobs, targets and what changed of them; planned_calls: the very calls of a
//   delivery, on a scratch table. `check`.
// - unused_entries: names in the file that mean nothing. `check`.
#pragma once

#include "base/cancel.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "delivery/preflight/finding.h"

namespace hakobu {

// Both sides are asked even when one cannot be reached. What concerns one table has it as its subject.
Findings CheckEverything(const Config& config, const DestinationAddresses& addresses,
                         const Cancellation& cancel);

}  // namespace hakobu
