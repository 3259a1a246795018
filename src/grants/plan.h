// What has to change for datasets to grant what is desired: pure, from desired state and access lists.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "grants/access.h"
#include "grants/desired.h"

namespace hakobu {

// What is done about grants that no line states and no apply of hakobu made.
enum class UnmanagedPolicy { kReport, kPrune };
enum class RemovalPolicy { kRemove, kOnlyAdd };

enum class ChangeKind { kAdd, kRemove };

struct GrantChange {
  ChangeKind kind = ChangeKind::kAdd;
  AccessEntry entry;  // kRemove: as it stands in the access list, byte for byte
  std::string why;    // "grants.csv:12: monthly report", "no line states it (apply 7 made it)", …
};

struct TargetPlan {
  std::string target;  // "dataset" or "dataset.table"
  std::string etag;
  std::vector<GrantChange> changes;
  std::vector<AccessEntry> unmanaged;  // grants that stay although no line states them
  std::vector<AccessEntry> kept;       // what hakobu never touches: authorised views, conditions, …
  std::vector<std::string> stated;     // "role member" of every grant that lines state, made or not
  std::vector<std::string> refused;    // why changes of this target were left out: guards
  size_t members = 0;                  // entries that name a member, before
};

struct GrantPlan {
  std::string project;
  std::string caller;
  std::string commit;  // git commit of the CSV; may be empty
  std::string created;
  RemovalPolicy removal = RemovalPolicy::kRemove;
  UnmanagedPolicy unmanaged = UnmanagedPolicy::kReport;
  std::vector<TargetPlan> targets;  // all that were looked at, by name
  std::string warnings;             // GrantProblems::ToString
  size_t Additions() const;
  size_t Removals() const;
  size_t Members() const;
  bool HasChanges() const;
};

struct TargetState {
  std::string target;
  std::string etag;
  std::vector<AccessEntry> entries;
};

struct PlanOptions {
  RemovalPolicy removal = RemovalPolicy::kRemove;
  UnmanagedPolicy unmanaged = UnmanagedPolicy::kReport;
  std::string caller;  // canonical member; its access is never taken away. Empty: not known
  absl::Time now = absl::InfinitePast();  // what ended before is no access any more: guards do not keep it
};

// `managed`: "role member" -> who made it ("apply 7", "previous.csv:3").
TargetPlan PlanTarget(const TargetState& state, const std::vector<DesiredGrant>& desired,
                      const std::vector<DesiredGrant>& expired,
                      const std::map<std::string, std::string>& managed, const PlanOptions& options);

// `entries` with the changes made that still can be: what is there already is not added, what is gone or has
// changed is not removed, and everything else keeps its bytes and order. `refused` (may be null) takes what
// the guards left out; `now` as in PlanOptions.
std::vector<AccessEntry> ApplyChanges(const std::vector<AccessEntry>& entries,
                                      const std::vector<GrantChange>& changes, const std::string& caller,
                                      std::vector<std::string>* refused,
                                      absl::Time now = absl::InfinitePast());

// DataLoss when the plan removes more than the guards allow.
absl::Status CheckRemovals(const GrantPlan& plan, const GrantGuards& guards);

// How many of the entries name a member: TargetPlan::members.
size_t CountMembers(const std::vector<AccessEntry>& entries);

// A plan that comes from a file is held against what the files and BigQuery say now: every addition must be
// stated by a line (`desired`), what guards count is counted in `states`, and what counts as stated is no
// more than the lines state. InvalidArgument naming every addition that no line states.
absl::Status Rederive(const DesiredState& desired, const std::vector<TargetState>& states, GrantPlan* plan);

std::string PlanToText(const GrantPlan& plan);      // a diff, for a terminal
std::string PlanToMarkdown(const GrantPlan& plan);  // for a pull request
std::string PlanToJson(const GrantPlan& plan);      // docs/permissions.md; what apply reads
absl::StatusOr<GrantPlan> PlanFromJson(std::string_view json);

}  // namespace hakobu
