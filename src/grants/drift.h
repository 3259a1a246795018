// What changed outside of hakobu since its last apply, and who did it where audit logs say so. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grants/access.h"
#include "grants/plan.h"

namespace hakobu {

// A grant made or taken, as Cloud Audit Logs tell it.
struct AuditChange {
  absl::Time time;
  std::string who;     // principalEmail
  std::string target;  // "dataset" or "dataset.table"
  ChangeKind kind = ChangeKind::kAdd;
  std::string key;  // "role member"
};
// Log entries as `gcloud logging read --format=json` (an array) or a log sink (one JSON object a line) writes
// them: BigQueryAuditMetadata datasetChange/tableChange … bindingDeltas, and SetIamPolicy's
// serviceData.policyDelta.bindingDeltas. Entries about something else are passed over.
absl::StatusOr<std::vector<AuditChange>> ParseAuditLog(std::string_view text);

struct Baseline {
  int64_t apply_id = 0;
  absl::Time applied;
  std::vector<AccessEntry> entries;
};

struct DriftLine {
  std::string target;
  ChangeKind kind = ChangeKind::kAdd;  // kAdd: there now, was not then
  AccessEntry entry;
  int64_t since_apply = 0;
  absl::Time since;
  std::string who;  // empty: no audit log says
  absl::Time when = absl::InfinitePast();
};

// Targets without a baseline have no drift: hakobu never left them in any state.
std::vector<DriftLine> FindDrift(const std::map<std::string, Baseline>& baselines,
                                 const std::vector<TargetState>& states,
                                 const std::vector<AuditChange>& audit);
std::string DriftToText(const std::vector<DriftLine>& lines);
std::string DriftToJson(const std::vector<DriftLine>& lines);

// The last audited change of this kind to this grant; null when there is none.
const AuditChange* FindAudit(const std::vector<AuditChange>& audit, const std::string& target,
                             ChangeKind kind, const std::string& key);

std::string EntriesToJson(const std::vector<AccessEntry>& entries);
absl::StatusOr<std::vector<AccessEntry>> EntriesFromJson(std::string_view json);

}  // namespace hakobu
