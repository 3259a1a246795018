#include "grants/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/escape.h"
#include "base/status.h"
#include "grants/principal.h"

namespace hakobu {
namespace {

bool HasEnded(const AccessEntry& entry, absl::Time now) {
  absl::Time end;
  return !entry.expires.empty() && absl::ParseTime(absl::RFC3339_full, entry.expires, &end, nullptr) &&
         end <= now;
}

// How well the entry owns: 2 for good, 1 until a time, 0 not.
int OwnerRank(const AccessEntry& entry, absl::Time now) {
  const bool holds = entry.kind == EntryKind::kGrant || entry.kind == EntryKind::kProject;
  if (!holds || entry.role != "owner" || HasEnded(entry, now)) return 0;
  return entry.expires.empty() ? 2 : 1;
}

int OwnerRank(const std::vector<AccessEntry>& entries, absl::Time now) {
  int rank = 0;
  for (const AccessEntry& entry : entries) rank = std::max(rank, OwnerRank(entry, now));
  return rank;
}

// The best that entries give `member` by name: 0 nothing; a role until a time is less than the same for good.
int AccessRank(const std::vector<AccessEntry>& entries, const std::string& member, absl::Time now) {
  int rank = 0;
  for (const AccessEntry& entry : entries) {
    if (entry.kind != EntryKind::kGrant || entry.member != member || HasEnded(entry, now)) continue;
    const int role = entry.role.rfind("roles/", 0) == 0 ? 1 : RoleRank(entry.role) + 1;
    rank = std::max(rank, 2 * role + (entry.expires.empty() ? 1 : 0));
  }
  return rank;
}

bool Contains(const std::vector<AccessEntry>& entries, const std::string& key) {
  return std::any_of(entries.begin(), entries.end(), [&](const AccessEntry& entry) {
    return entry.kind == EntryKind::kGrant && entry.Key() == key;
  });
}

std::vector<AccessEntry> Made(const std::vector<AccessEntry>& entries,
                              const std::vector<const GrantChange*>& changes) {
  std::vector<AccessEntry> result = entries;
  for (const GrantChange* change : changes) {
    const auto found = std::find(result.begin(), result.end(), change->entry);
    if (change->kind == ChangeKind::kRemove) {
      if (found != result.end()) result.erase(found);
    } else if (!Contains(result, change->entry.Key())) {
      result.push_back(change->entry);
    }
  }
  return result;
}

// Leaves removals out that would take the last owner, or the caller's own access.
std::vector<const GrantChange*> Guarded(const std::vector<AccessEntry>& entries,
                                        const std::vector<GrantChange>& changes, const std::string& caller,
                                        absl::Time now, std::vector<std::string>* refused) {
  std::vector<const GrantChange*> allowed;
  for (const GrantChange& change : changes) allowed.push_back(&change);
  const auto leave_out = [&](auto&& which, std::string_view why) {
    std::vector<const GrantChange*> rest;
    for (const GrantChange* change : allowed) {
      if (change->kind == ChangeKind::kRemove && which(change->entry)) {
        if (refused != nullptr) refused->push_back(fmt::format("keep {}: {}", change->entry.Describe(), why));
      } else {
        rest.push_back(change);
      }
    }
    allowed = std::move(rest);
  };
  if (!caller.empty() && AccessRank(Made(entries, allowed), caller, now) < AccessRank(entries, caller, now)) {
    leave_out([&](const AccessEntry& entry) { return entry.member == caller && !HasEnded(entry, now); },
              "it is the caller's own access");
  }
  if (const int owned = OwnerRank(entries, now); OwnerRank(Made(entries, allowed), now) < owned) {
    leave_out([&](const AccessEntry& entry) { return OwnerRank(entry, now) == owned; },
              "nobody would own the dataset");
  }
  return allowed;
}

class TargetPlanner {
 public:
  TargetPlanner(const TargetState& state, const PlanOptions& options) : state_(state), options_(options) {
    plan_.target = state.target;
    plan_.etag = state.etag;
    plan_.members = CountMembers(state.entries);
  }

  TargetPlan Plan(const std::vector<DesiredGrant>& desired, const std::vector<DesiredGrant>& expired,
                  const std::map<std::string, std::string>& managed) {
    for (const DesiredGrant& grant : desired) {
      stated_[GrantKey(grant.member, grant.role, "")] = &grant;
      plan_.stated.push_back(GrantKey(grant.member, grant.role, ""));
    }
    for (const DesiredGrant& grant : expired) expired_[GrantKey(grant.member, grant.role, "")] = &grant;
    for (const AccessEntry& entry : state_.entries) PlanEntry(entry, managed);
    const AccessForm form =
        state_.target.find('.') == std::string::npos ? AccessForm::kDataset : AccessForm::kTable;
    for (const DesiredGrant& grant : desired) {
      if (Contains(state_.entries, GrantKey(grant.member, grant.role, grant.expires))) continue;
      const std::string why = grant.reason.empty() ? grant.source : grant.source + ": " + grant.reason;
      plan_.changes.push_back(
          {ChangeKind::kAdd, MakeAccessEntry(form, grant.member, grant.role, grant.expires), why});
    }
    std::vector<GrantChange> allowed;
    for (const GrantChange* change :
         Guarded(state_.entries, plan_.changes, options_.caller, options_.now, &plan_.refused)) {
      allowed.push_back(*change);
    }
    plan_.changes = std::move(allowed);
    return std::move(plan_);
  }

 private:
  void PlanEntry(const AccessEntry& entry, const std::map<std::string, std::string>& managed) {
    if (entry.kind == EntryKind::kDeleted) return Remove(entry, "the account was deleted");
    if (entry.kind == EntryKind::kPublic) return Unmanaged(entry);
    if (entry.kind != EntryKind::kGrant) return plan_.kept.push_back(entry);
    const std::string key = GrantKey(entry.member, entry.role, "");
    if (const auto stated = stated_.find(key); stated != stated_.end()) {
      if (stated->second->expires == entry.expires) return;
      return Remove(entry, stated->second->source + " states another end");
    }
    if (const auto expired = expired_.find(key); expired != expired_.end()) {
      return Remove(entry, expired->second->source + " has expired");
    }
    if (const auto made = managed.find(key); made != managed.end()) {
      return Remove(entry, fmt::format("no line states it ({} did)", made->second));
    }
    if (!entry.expires.empty()) return Remove(entry, "no line states it (hakobu made it, with an end)");
    Unmanaged(entry);
  }

  void Remove(const AccessEntry& entry, std::string why) {
    if (options_.removal == RemovalPolicy::kOnlyAdd) return plan_.unmanaged.push_back(entry);
    plan_.changes.push_back({ChangeKind::kRemove, entry, std::move(why)});
  }

  void Unmanaged(const AccessEntry& entry) {
    if (options_.unmanaged == UnmanagedPolicy::kPrune) return Remove(entry, "no line states it (pruned)");
    plan_.unmanaged.push_back(entry);
  }

  const TargetState& state_;
  const PlanOptions& options_;
  TargetPlan plan_;
  std::map<std::string, const DesiredGrant*> stated_, expired_;
};

size_t Count(const GrantPlan& plan, ChangeKind kind) {
  size_t count = 0;
  for (const TargetPlan& target : plan.targets) {
    count +=
        static_cast<size_t>(std::count_if(target.changes.begin(), target.changes.end(),
                                          [&](const GrantChange& change) { return change.kind == kind; }));
  }
  return count;
}

}  // namespace

size_t GrantPlan::Additions() const {
  return Count(*this, ChangeKind::kAdd);
}
size_t GrantPlan::Removals() const {
  return Count(*this, ChangeKind::kRemove);
}
size_t GrantPlan::Members() const {
  size_t members = 0;
  for (const TargetPlan& target : targets) members += target.members;
  return members;
}
bool GrantPlan::HasChanges() const {
  return std::any_of(targets.begin(), targets.end(),
                     [](const TargetPlan& target) { return !target.changes.empty(); });
}

TargetPlan PlanTarget(const TargetState& state, const std::vector<DesiredGrant>& desired,
                      const std::vector<DesiredGrant>& expired,
                      const std::map<std::string, std::string>& managed, const PlanOptions& options) {
  return TargetPlanner(state, options).Plan(desired, expired, managed);
}

std::vector<AccessEntry> ApplyChanges(const std::vector<AccessEntry>& entries,
                                      const std::vector<GrantChange>& changes, const std::string& caller,
                                      std::vector<std::string>* refused, absl::Time now) {
  return Made(entries, Guarded(entries, changes, caller, now, refused));
}

size_t CountMembers(const std::vector<AccessEntry>& entries) {
  return static_cast<size_t>(std::count_if(entries.begin(), entries.end(), [](const AccessEntry& entry) {
    return entry.kind != EntryKind::kAuthorized && entry.kind != EntryKind::kUnknown;
  }));
}

absl::Status Rederive(const DesiredState& desired, const std::vector<TargetState>& states, GrantPlan* plan) {
  std::string unstated;
  for (TargetPlan& target : plan->targets) {
    std::set<std::string> with_end, without_end;
    if (const auto found = desired.grants.find(target.target); found != desired.grants.end()) {
      for (const DesiredGrant& grant : found->second) {
        with_end.insert(GrantKey(grant.member, grant.role, grant.expires));
        without_end.insert(GrantKey(grant.member, grant.role, ""));
      }
    }
    for (const GrantChange& change : target.changes) {
      if (change.kind == ChangeKind::kAdd && !with_end.contains(change.entry.Key()))
        unstated += fmt::format("\n  {}: {}", target.target, change.entry.Describe());
    }
    std::erase_if(target.stated, [&](const std::string& key) { return !without_end.contains(key); });
    target.members = 0;
    for (const TargetState& state : states) {
      if (state.target == target.target) target.members = CountMembers(state.entries);
    }
  }
  if (unstated.empty()) return absl::OkStatus();
  return WithHint(
      absl::InvalidArgumentError("the plan adds what no line states:" + EscapeControlKeepLines(unstated)),
      "plan again where the files are as they were reviewed, and review the new plan");
}

absl::Status CheckRemovals(const GrantPlan& plan, const GrantGuards& guards) {
  constexpr size_t kAlwaysAllowed = 5;
  const size_t removals = plan.Removals();
  const double share =
      plan.Members() == 0 ? 0 : static_cast<double>(removals) / static_cast<double>(plan.Members());
  if (removals > guards.max_removals) {
    return WithHint(absl::DataLossError(fmt::format("the plan removes {} grants, allowed are {}", removals,
                                                    guards.max_removals)),
                    "look at the plan, then raise guards.max_removals or give --max-removals");
  }
  if (removals > kAlwaysAllowed && share > guards.max_removed_share) {
    return WithHint(absl::DataLossError(fmt::format(
                        "the plan removes {:.0f} % of all grants ({} of {}), allowed are {:.0f} %",
                        share * 100, removals, plan.Members(), guards.max_removed_share * 100)),
                    "look at the plan, then raise guards.max_removed_share or give --max-removed-share");
  }
  return absl::OkStatus();
}

}  // namespace hakobu
