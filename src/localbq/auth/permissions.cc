#include "localbq/auth/permissions.h"

#include <algorithm>
#include <span>

namespace hakobu::localbq::auth {
namespace {

// A permission, or all that begin so ("bigquery.tables.*").
using Patterns = std::span<const std::string_view>;

constexpr std::string_view kDataViewer[] = {"bigquery.datasets.get",
                                            "bigquery.datasets.getIamPolicy",
                                            "bigquery.models.export",
                                            "bigquery.models.getData",
                                            "bigquery.models.getMetadata",
                                            "bigquery.models.list",
                                            "bigquery.routines.get",
                                            "bigquery.routines.list",
                                            "bigquery.tables.createSnapshot",
                                            "bigquery.tables.export",
                                            "bigquery.tables.get",
                                            "bigquery.tables.getData",
                                            "bigquery.tables.list",
                                            "bigquery.tables.replicateData",
                                            "resourcemanager.projects.get"};
constexpr std::string_view kDataEditor[] = {"bigquery.datasets.create",
                                            "bigquery.datasets.get",
                                            "bigquery.datasets.getIamPolicy",
                                            "bigquery.datasets.updateTag",
                                            "bigquery.models.*",
                                            "bigquery.routines.*",
                                            "bigquery.tables.create",
                                            "bigquery.tables.createIndex",
                                            "bigquery.tables.createSnapshot",
                                            "bigquery.tables.delete",
                                            "bigquery.tables.deleteIndex",
                                            "bigquery.tables.export",
                                            "bigquery.tables.get",
                                            "bigquery.tables.getData",
                                            "bigquery.tables.getIamPolicy",
                                            "bigquery.tables.list",
                                            "bigquery.tables.replicateData",
                                            "bigquery.tables.restoreSnapshot",
                                            "bigquery.tables.update",
                                            "bigquery.tables.updateData",
                                            "bigquery.tables.updateTag",
                                            "resourcemanager.projects.get"};
constexpr std::string_view kDataOwner[] = {"bigquery.datasets.*", "bigquery.models.*",
                                           "bigquery.routines.*", "bigquery.rowAccessPolicies.*",
                                           "bigquery.tables.*",   "resourcemanager.projects.get"};
constexpr std::string_view kMetadataViewer[] = {
    "bigquery.datasets.get",        "bigquery.datasets.getIamPolicy", "bigquery.models.getMetadata",
    "bigquery.models.list",         "bigquery.routines.get",          "bigquery.routines.list",
    "bigquery.tables.get",          "bigquery.tables.getIamPolicy",   "bigquery.tables.list",
    "resourcemanager.projects.get",
};
constexpr std::string_view kJobUser[] = {"bigquery.config.get", "bigquery.jobs.create",
                                         "resourcemanager.projects.get"};
constexpr std::string_view kUser[] = {"bigquery.config.get",         "bigquery.datasets.create",
                                      "bigquery.datasets.get",       "bigquery.jobs.create",
                                      "bigquery.jobs.list",          "bigquery.models.list",
                                      "bigquery.readsessions.*",     "bigquery.routines.list",
                                      "bigquery.tables.list",        "bigquery.datasets.getIamPolicy",
                                      "resourcemanager.projects.get"};
constexpr std::string_view kReadSessionUser[] = {"bigquery.readsessions.*", "resourcemanager.projects.get"};
constexpr std::string_view kResourceViewer[] = {
    "bigquery.jobs.get", "bigquery.jobs.list", "bigquery.jobs.listAll", "bigquery.jobs.listExecutionMetadata",
    "resourcemanager.projects.get"};
constexpr std::string_view kAdmin[] = {"bigquery.*", "resourcemanager.projects.get"};
// A basic role reads datasets through their entries for projectReaders, projectWriters and projectOwners.
constexpr std::string_view kViewer[] = {"bigquery.config.get",     "bigquery.jobs.create",
                                        "bigquery.jobs.get",       "bigquery.jobs.list",
                                        "bigquery.readsessions.*", "resourcemanager.projects.get"};
constexpr std::string_view kEditor[] = {
    "bigquery.config.get", "bigquery.datasets.create", "bigquery.jobs.create",        "bigquery.jobs.get",
    "bigquery.jobs.list",  "bigquery.readsessions.*",  "resourcemanager.projects.get"};
constexpr std::string_view kOwner[] = {"bigquery.config.*",
                                       "bigquery.datasets.create",
                                       "bigquery.datasets.delete",
                                       "bigquery.datasets.get",
                                       "bigquery.datasets.getIamPolicy",
                                       "bigquery.datasets.setIamPolicy",
                                       "bigquery.datasets.update",
                                       "bigquery.jobs.*",
                                       "bigquery.readsessions.*",
                                       "resourcemanager.projects.*"};
constexpr std::string_view kTokenCreator[] = {"iam.serviceAccounts.getAccessToken",
                                              "iam.serviceAccounts.signJwt"};

struct RoleRow {
  std::string_view role;
  Patterns patterns;
};
const RoleRow kRoles[] = {
    {"roles/bigquery.dataViewer", kDataViewer},
    {"roles/bigquery.dataEditor", kDataEditor},
    {"roles/bigquery.dataOwner", kDataOwner},
    {"roles/bigquery.metadataViewer", kMetadataViewer},
    {"roles/bigquery.jobUser", kJobUser},
    {"roles/bigquery.user", kUser},
    {"roles/bigquery.readSessionUser", kReadSessionUser},
    {"roles/bigquery.resourceViewer", kResourceViewer},
    {"roles/bigquery.admin", kAdmin},
    {"roles/viewer", kViewer},
    {"roles/editor", kEditor},
    {"roles/owner", kOwner},
    {"roles/iam.serviceAccountTokenCreator", kTokenCreator},
};

bool Covers(std::string_view pattern, std::string_view permission) {
  if (!pattern.ends_with('*')) return pattern == permission;
  return permission.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace

bool RoleGrants(std::string_view role, std::string_view permission, const CustomRoles& custom) {
  const auto covers = [permission](std::string_view pattern) { return Covers(pattern, permission); };
  for (const RoleRow& row : kRoles) {
    if (row.role == role) return std::ranges::any_of(row.patterns, covers);
  }
  const auto found = custom.find(role);
  return found != custom.end() && std::ranges::any_of(found->second, covers);
}

bool IsKnownRole(std::string_view role, const CustomRoles& custom) {
  return custom.contains(role) ||
         std::ranges::any_of(kRoles, [role](const RoleRow& row) { return row.role == role; });
}

std::string_view RoleOfLegacyName(std::string_view role) {
  if (role == "READER") return "roles/bigquery.dataViewer";
  if (role == "WRITER") return "roles/bigquery.dataEditor";
  if (role == "OWNER") return "roles/bigquery.dataOwner";
  return role;
}

}  // namespace hakobu::localbq::auth
