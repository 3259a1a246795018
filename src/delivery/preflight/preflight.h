// The preflight: looks at both sides and at every table, and says everything at once. Writes nothing
// anywhere. One list of checks for `check`, `plan`, `run`, `stream` and tables that appear while a stream
// runs:
//   selection      which tables are wanted, left out, or share a target      all five
//   table_checks   names, key types, what the target is                      all five, through MapTable and
//   MakeLaneSchema check_source   connection, settings, privileges, conditions, cursors     `check`; what a
//   run needs of a table, `run` too check_stream   the log's settings, cascades `check`; the settings,
//   `stream` too (start_point) check_destination  dataset, jobs, targets and what changed of them `check`;
//   the targets, all unused_entries     names in the file that mean nothing                   `check`
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
