// Tables compared with their source; streamed ones repaired, and gaps closed with the proof. docs/gaps.md
// states what it promises.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "delivery/delivery.h"
#include "delivery/repair/repair_context.h"

namespace hakobu {

struct RepairOptions {
  DestinationAddresses addresses;
  // What to look at: tables by name ("members", "shop.members", globs), the tables that these gaps concern,
  // or those of every open gap. Nothing, to verify: every table, of runs and of the stream.
  std::vector<std::string> tables;
  std::vector<int64_t> gaps;
  bool all_open = false;
  bool verify = false;  // compare, and write nothing to the tables; those of runs too
  Clock* clock = Clock::Real();
};

struct RepairedTable {
  std::string source;
  std::string target;
  uint64_t chunks = 0;
  uint64_t rows = 0;      // of the source
  Differences found;      // once what the stream was about to deliver is left out
  Differences left;       // after the repair; verify: as found
  bool repaired = false;  // something was sent
  bool behind = false;    // no stream was running: what it has not yet delivered counts as a difference
  std::vector<std::string> first_keys;
  std::string position;            // what the last comparison holds at
  std::vector<std::string> notes;  // what was compared in another way, or not
  std::string error;               // why it could not be compared
  bool equal() const { return error.empty() && left.all() == 0; }
};

struct RepairReport {
  std::vector<RepairedTable> tables;
  std::vector<int64_t> closed_gaps;
  std::vector<int64_t> open_gaps;  // of all, that are left
};

// A table's own failure is in the report; the others go on. Errors: InvalidArgument (configuration, a gap or
// table that there is not), FailedPrecondition (another repair runs), Cancelled (call again: it goes on where
// it was), else what failed.
absl::StatusOr<RepairReport> RunRepair(const Config& config, const RepairOptions& options,
                                       const Cancellation& cancel);

}  // namespace hakobu
