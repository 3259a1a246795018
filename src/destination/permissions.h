// Which of BigQuery's permissions each use of hakobu needs, where, and which predefined role has it: one
// table for what `check` says of a refusal and for the custom roles that `init --roles` prints.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hakobu {

enum class Use : uint8_t { kNightly = 1, kStream = 2, kGrants = 4 };
std::string_view UseName(Use use);

// Where the permission is looked for: jobs on the project that pays, all else on a dataset.
enum class PermissionPlace : uint8_t { kBillingProject, kStagingDataset, kTargetDataset };

struct PermissionNeed {
  std::string_view permission;  // "bigquery.tables.updateData"
  PermissionPlace place = PermissionPlace::kTargetDataset;
  uint8_t uses = 0;       // bits of Use
  std::string_view role;  // the smallest predefined role that has it: "roles/bigquery.dataEditor"
  std::string_view what_for;
  bool only_sometimes = false;  // what_for says when: not tried, and a comment in the roles that are printed
};
// [cloud.google.com/bigquery/docs/access-control; per call: measured by others with and without each].
std::span<const PermissionNeed> PermissionNeeds();

// The smallest predefined role with the permission; empty when the table has it not.
std::string_view RoleWith(std::string_view permission);

// What the printed roles are filled in with. Empty: a placeholder.
struct RolePlaces {
  std::string project, billing_project, dataset, staging_dataset;
  std::string member = "serviceAccount:hakobu@PROJECT.iam.gserviceaccount.com";
};
// Custom roles and their bindings, one set for each use.
std::string RolesAsTerraform(const RolePlaces& places);
std::string RolesAsGcloud(const RolePlaces& places);

}  // namespace hakobu
