// Making a plan true: one conditional write for each dataset, whatever else happens to it meanwhile.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grants/plan.h"
#include "grants/store.h"

namespace hakobu {

enum class TargetOutcome { kUnchanged, kApplied, kRefused, kFailed };
std::string_view TargetOutcomeName(TargetOutcome outcome);  // "unchanged", "applied", "refused", "failed"

struct TargetResult {
  std::string target;
  TargetOutcome outcome = TargetOutcome::kUnchanged;
  std::string etag_before;
  std::string etag_after;
  size_t added = 0;
  size_t removed = 0;
  int conflicts = 0;                 // writes that met somebody else's (412) and were planned again
  std::vector<AccessEntry> entries;  // as they are after
  std::vector<std::string> refused;  // what guards left out on the state that was found
  std::string error;
};

struct ApplyOptions {
  std::string caller;
  absl::Time now = absl::InfinitePast();  // PlanOptions::now
  int parallel = 8;
  int max_conflicts = 20;  // of one target, before it counts as failed
  // Called as each target is done, one call at a time. A failure of it stops the apply.
  std::function<absl::Status(const TargetResult&)> on_result;
  const Cancellation* cancellation = nullptr;
};

// FailedPrecondition, naming every one, when a target's etag is not the plan's any more. `states` of all
// targets.
absl::Status CheckEtags(const GrantPlan& plan, const std::vector<TargetState>& states);

// One after the other and `parallel` at a time; a target that fails does not stop the others. `states`: as
// read just before, of all the plan's targets. A write that meets somebody else's change (412) is repeated on
// the list as it is then: only the plan's own additions and removals are made, so nobody's change is undone.
// Crash points: grants.before_write, grants.after_write, grants.after_record.
absl::StatusOr<std::vector<TargetResult>> ApplyPlan(const GrantPlan& plan,
                                                    const std::vector<TargetState>& states,
                                                    AccessStore& store, const ApplyOptions& options);

}  // namespace hakobu
