#include "grants/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "base/crash_point.h"
#include "base/status.h"

namespace hakobu {
namespace {

// What of the changes the list `after` shows and `before` did not.
void CountChanges(const std::vector<AccessEntry>& before, const std::vector<AccessEntry>& after,
                  TargetResult* result) {
  const auto missing = [](const std::vector<AccessEntry>& from, const std::vector<AccessEntry>& in) {
    return static_cast<size_t>(std::count_if(from.begin(), from.end(), [&](const AccessEntry& entry) {
      return std::find(in.begin(), in.end(), entry) == in.end();
    }));
  };
  result->added = missing(after, before);
  result->removed = missing(before, after);
}

bool IsConflict(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsAborted(status);
}

TargetResult Failed(TargetResult result, const absl::Status& status) {
  result.outcome = TargetOutcome::kFailed;
  result.error = std::string(View(status.message()));
  return result;
}

TargetResult ApplyTarget(const TargetPlan& plan, TargetState state, AccessStore& store,
                         const ApplyOptions& options) {
  TargetResult result;
  result.target = plan.target;
  while (true) {
    result.refused.clear();
    result.etag_before = state.etag;
    const std::vector<AccessEntry> wanted =
        ApplyChanges(state.entries, plan.changes, options.caller, &result.refused, options.now);
    CountChanges(state.entries, wanted, &result);
    if (wanted == state.entries) {
      result.outcome = result.refused.empty() ? TargetOutcome::kUnchanged : TargetOutcome::kRefused;
      result.etag_after = state.etag;
      result.entries = std::move(state.entries);
      return result;
    }
    if (options.cancellation != nullptr && options.cancellation->cancelled()) {
      return Failed(std::move(result), options.cancellation->Check());
    }
    CrashPoint("grants.before_write");
    const absl::StatusOr<std::string> etag = store.Write(state, wanted);
    CrashPoint("grants.after_write");
    if (etag.ok()) {
      result.outcome = TargetOutcome::kApplied;
      result.etag_after = *etag;
      result.entries = wanted;
      return result;
    }
    if (!IsConflict(etag.status()) || ++result.conflicts > options.max_conflicts) {
      return Failed(std::move(result), etag.status());
    }
    absl::StatusOr<TargetState> again = store.Read(plan.target);
    if (!again.ok()) return Failed(std::move(result), again.status());
    state = *std::move(again);
  }
}

}  // namespace

std::string_view TargetOutcomeName(TargetOutcome outcome) {
  switch (outcome) {
    case TargetOutcome::kUnchanged:
      return "unchanged";
    case TargetOutcome::kApplied:
      return "applied";
    case TargetOutcome::kRefused:
      return "refused";
    case TargetOutcome::kFailed:
      break;
  }
  return "failed";
}

absl::Status CheckEtags(const GrantPlan& plan, const std::vector<TargetState>& states) {
  std::map<std::string, std::string> etags;
  for (const TargetState& state : states) etags[state.target] = state.etag;
  std::string changed;
  for (const TargetPlan& target : plan.targets) {
    const auto found = etags.find(target.target);
    if (target.changes.empty() || (found != etags.end() && found->second == target.etag)) continue;
    changed += (changed.empty() ? "" : ", ") + target.target;
  }
  if (changed.empty()) return absl::OkStatus();
  return WithHint(absl::FailedPreconditionError("changed since the plan was made: " + changed),
                  "plan again, and review it");
}

absl::StatusOr<std::vector<TargetResult>> ApplyPlan(const GrantPlan& plan,
                                                    const std::vector<TargetState>& states,
                                                    AccessStore& store, const ApplyOptions& options) {
  std::map<std::string, const TargetState*> by_name;
  for (const TargetState& state : states) by_name[state.target] = &state;
  std::vector<TargetResult> results(plan.targets.size());
  absl::Mutex mutex;
  size_t next = 0;
  absl::Status stopped;
  const auto work = [&] {
    while (true) {
      size_t at;
      {
        absl::MutexLock lock(&mutex);
        if (next >= plan.targets.size() || !stopped.ok()) return;
        at = next++;
      }
      const TargetPlan& target = plan.targets[at];
      const auto state = by_name.find(target.target);
      TargetResult failed;
      failed.target = target.target;
      results[at] = state == by_name.end()
                        ? Failed(std::move(failed), absl::NotFoundError("it could not be read"))
                        : ApplyTarget(target, *state->second, store, options);
      absl::MutexLock lock(&mutex);
      if (options.on_result && stopped.ok()) stopped = options.on_result(results[at]);
      CrashPoint("grants.after_record");
    }
  };
  std::vector<std::thread> threads;
  const size_t count =
      std::min<size_t>(static_cast<size_t>(std::max(options.parallel, 1)), plan.targets.size());
  for (size_t at = 0; at < count; ++at) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  HAKOBU_RETURN_IF_ERROR(stopped);
  return results;
}

}  // namespace hakobu
