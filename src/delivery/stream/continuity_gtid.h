// The arithmetic of GTIDs behind continuity, for MySQL's sets and MariaDB's lists alike. Pure.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "delivery/stream/continuity.h"

namespace hakobu {

struct GtidComparison {
  std::string phantom;          // delivered, and not in the server's history
  std::string missing;          // purged on the server before it was delivered
  bool has_others = false;      // the server executed transactions that were not delivered
  LogStart resume_all;          // after all that was delivered
  LogStart resume;              // after what is delivered, still true, or not to be had
  std::string seen_after;       // the set behind `resume`
  LogStart resume_past_errant;  // after all that was delivered and the errant transactions in evidence
};

// With evidence of a parting, what the server executed after it does not count: it may have the same numbers.
absl::StatusOr<GtidComparison> CompareGtids(const DeliveredPoint& stored, const LogState& state,
                                            const LogEvidence& evidence);

}  // namespace hakobu
