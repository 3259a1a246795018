// The access list of a dataset [REST v2: Dataset.access] (or of a table, from its IAM policy), entry by
// entry, each with its bytes as the service wrote them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace hakobu {

enum class EntryKind {
  kGrant,        // a member and a role; perhaps until a time (our own condition)
  kProject,      // projectOwners, projectReaders, projectWriters
  kPublic,       // allUsers, allAuthenticatedUsers
  kAuthorized,   // a view, routine or dataset
  kConditional,  // a condition that is not ours
  kDeleted,      // a member that no longer exists
  kUnknown,      // anything else, or a known kind with fields this program does not know
};

struct AccessEntry {
  EntryKind kind = EntryKind::kUnknown;
  std::string raw;      // JSON object, byte for byte
  std::string member;   // canonical; "projectOwners", "allUsers", "deleted:user:…"; empty when there is none
  std::string role;     // canonical (principal.h); empty when there is none
  std::string expires;  // RFC 3339, UTC; empty: never
  // What two entries have in common that grant the same: "reader user:a@x.com" and ", until …".
  std::string Key() const;
  std::string Describe() const;
  bool operator==(const AccessEntry& other) const { return raw == other.raw; }
};

// The elements of `access` of a Dataset resource; none when it has none.
absl::StatusOr<std::vector<AccessEntry>> ReadDatasetAccess(std::string_view dataset_json);
// One element.
absl::StatusOr<AccessEntry> ReadAccessEntry(std::string_view raw);
// `{"access":[…]}`, every entry's bytes as they are.
std::string DatasetAccessPatch(const std::vector<AccessEntry>& entries);

// The elements of a table's IAM policy [REST v2: tables.getIamPolicy], one for each role, condition and
// member.
absl::StatusOr<std::vector<AccessEntry>> ReadTableAccess(std::string_view policy_json);
// `policy_json` with bindings that grant `entries`; bindings of which nothing is missing or new, and all
// other fields, stay as they are.
absl::StatusOr<std::string> TablePolicy(std::string_view policy_json,
                                        const std::vector<AccessEntry>& entries);

enum class AccessForm { kDataset, kTable };
// `member` and `role` canonical. With `expires` the entry carries an IAM condition.
AccessEntry MakeAccessEntry(AccessForm form, const std::string& member, const std::string& role,
                            const std::string& expires);

std::string GrantKey(std::string_view member, std::string_view role, std::string_view expires);

}  // namespace hakobu
