#include "destination/permissions.h"

#include <fmt/format.h>

namespace hakobu {
namespace {

constexpr uint8_t kNightly = static_cast<uint8_t>(Use::kNightly);
constexpr uint8_t kStream = static_cast<uint8_t>(Use::kStream);
constexpr uint8_t kGrants = static_cast<uint8_t>(Use::kGrants);
constexpr uint8_t kAll = kNightly | kStream | kGrants;

constexpr auto kProject = PermissionPlace::kBillingProject;
constexpr auto kStaging = PermissionPlace::kStagingDataset;
constexpr auto kTarget = PermissionPlace::kTargetDataset;

constexpr std::string_view kJobUser = "roles/bigquery.jobUser";
constexpr std::string_view kEditor = "roles/bigquery.dataEditor";
constexpr std::string_view kOwner = "roles/bigquery.dataOwner";

constexpr PermissionNeed kNeeds[] = {
    {"bigquery.jobs.create", kProject, kAll, kJobUser, "loads, queries, copies, ALTER and GRANT"},

    {"bigquery.datasets.get", kStaging, kNightly, kEditor, "where the dataset is"},
    {"bigquery.tables.list", kStaging, kNightly, kEditor, "staging tables that a run left"},
    {"bigquery.tables.create", kStaging, kNightly, kEditor, "staging tables"},
    {"bigquery.tables.get", kStaging, kNightly, kEditor, "staging tables"},
    {"bigquery.tables.getData", kStaging, kNightly, kEditor, "counting, and putting in place"},
    {"bigquery.tables.updateData", kStaging, kNightly, kEditor, "loads and appends"},
    {"bigquery.tables.update", kStaging, kNightly, kEditor, "tags of columns that change during a run"},
    {"bigquery.tables.delete", kStaging, kNightly, kEditor, "removing staging tables"},

    {"bigquery.datasets.get", kTarget, kAll, kEditor, "where the dataset is"},
    {"bigquery.tables.create", kTarget, kNightly | kStream, kEditor, "new tables"},
    {"bigquery.tables.get", kTarget, kAll, kEditor, "what a table is, and what hangs on it"},
    {"bigquery.tables.getData", kTarget, kAll, kEditor,
     "counting, comparing, MERGE, and row access policies"},
    {"bigquery.tables.updateData", kTarget, kNightly | kStream, kEditor, "loads, appends and MERGE"},
    {"bigquery.tables.update", kTarget, kNightly | kStream, kEditor,
     "new columns, descriptions, max_staleness"},
    {"bigquery.rowAccessPolicies.list", kTarget, kNightly | kGrants, kOwner,
     "policies that putting a table in place must keep"},
    {"bigquery.tables.getIamPolicy", kTarget, kNightly | kGrants, kEditor, "grants on a table"},
    {"bigquery.tables.delete", kTarget, kStream, kEditor, "tables that repair makes beside a target"},

    {"bigquery.datasets.update", kTarget, kGrants, kOwner, "writing a dataset's access list"},
    {"bigquery.datasets.getIamPolicy", kTarget, kGrants, kEditor,
     "reading a dataset's access list where fine-grained access control is on"},
    {"bigquery.datasets.setIamPolicy", kTarget, kGrants, kOwner, "writing it there"},
    {"bigquery.tables.list", kTarget, kStream | kGrants, kEditor,
     "tables that a repair left; tables whose grants are compared"},
    {"bigquery.tables.setIamPolicy", kTarget, kGrants, kOwner, "grants on a table"},
    {"bigquery.rowAccessPolicies.create", kTarget, kGrants, kOwner, "row access policies"},
    {"bigquery.rowAccessPolicies.update", kTarget, kGrants, kOwner, "row access policies"},
    {"bigquery.rowAccessPolicies.delete", kTarget, kGrants, kOwner, "row access policies"},
    {"bigquery.rowAccessPolicies.getIamPolicy", kTarget, kGrants, kOwner, "row access policies"},
    {"bigquery.rowAccessPolicies.setIamPolicy", kTarget, kGrants, kOwner, "row access policies"},

    {"bigquery.datasets.create", kProject, kNightly | kStream, kEditor,
     "only where hakobu is to make the dataset", true},
    {"bigquery.tables.setCategory", kTarget, kNightly, kOwner,
     "only where columns have policy tags; with datacatalog.taxonomies.get on the taxonomy's project", true},
    {"serviceusage.services.use", kProject, kNightly | kStream | kGrants,
     "roles/serviceusage.serviceUsageConsumer", "only with destination.quota_project", true},
};

bool IsOf(const PermissionNeed& need, Use use, PermissionPlace place) {
  return (need.uses & static_cast<uint8_t>(use)) != 0 && need.place == place;
}

std::string Or(const std::string& text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : text;
}

struct PlaceWords {
  PermissionPlace place;
  std::string_view suffix;  // of role ids
  std::string_view title;
};
constexpr PlaceWords kPlaces[] = {
    {kProject, "Jobs", "jobs"}, {kStaging, "Staging", "staging"}, {kTarget, "Target", "targets"}};
constexpr Use kUses[] = {Use::kNightly, Use::kStream, Use::kGrants};

// hakobuNightlyTarget: [a-zA-Z0-9_.]{3,64}.
std::string RoleId(Use use, const PlaceWords& words) {
  std::string name(UseName(use));
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return fmt::format("hakobu{}{}", name, words.suffix);
}

std::vector<const PermissionNeed*> NeedsOf(Use use, PermissionPlace place, bool only_sometimes) {
  std::vector<const PermissionNeed*> needs;
  for (const PermissionNeed& need : kNeeds) {
    if (IsOf(need, use, place) && need.only_sometimes == only_sometimes) needs.push_back(&need);
  }
  return needs;
}

std::string DatasetOf(PermissionPlace place, const RolePlaces& places) {
  const std::string target = Or(places.dataset, "DATASET");
  return place == kStaging ? Or(places.staging_dataset, target) : target;
}

std::string ProjectOf(PermissionPlace place, const RolePlaces& places) {
  const std::string project = Or(places.project, "PROJECT");
  return place == kProject ? Or(places.billing_project, project) : project;
}

std::string TerraformRole(Use use, const PlaceWords& words, const RolePlaces& places) {
  const std::string id = RoleId(use, words);
  const std::string project = ProjectOf(words.place, places);
  std::string text = fmt::format(
      "resource \"google_project_iam_custom_role\" \"{0}\" {{\n  project     = \"{1}\"\n  role_id     = "
      "\"{0}\"\n"
      "  title       = \"hakobu {2}, {3}\"\n  permissions = [\n",
      id, project, UseName(use), words.title);
  for (const PermissionNeed* need : NeedsOf(use, words.place, false)) {
    text += fmt::format("    \"{}\",  # {}\n", need->permission, need->what_for);
  }
  for (const PermissionNeed* need : NeedsOf(use, words.place, true)) {
    text += fmt::format("    # \"{}\",  # {}\n", need->permission, need->what_for);
  }
  text += "  ]\n}\n\n";
  if (words.place == kProject) {
    return text + fmt::format(
                      "resource \"google_project_iam_member\" \"{0}\" {{\n  project = \"{1}\"\n"
                      "  role    = google_project_iam_custom_role.{0}.name\n  member  = \"{2}\"\n}}\n\n",
                      id, project, places.member);
  }
  return text + fmt::format(
                    "resource \"google_bigquery_dataset_iam_member\" \"{0}\" {{\n  project    = \"{1}\"\n"
                    "  dataset_id = \"{2}\"\n  role       = google_project_iam_custom_role.{0}.name\n"
                    "  member     = \"{3}\"\n}}\n\n",
                    id, project, DatasetOf(words.place, places), places.member);
}

std::string GcloudRole(Use use, const PlaceWords& words, const RolePlaces& places) {
  const std::string id = RoleId(use, words);
  const std::string project = ProjectOf(words.place, places);
  std::string list;
  for (const PermissionNeed* need : NeedsOf(use, words.place, false)) {
    list += (list.empty() ? "" : ",") + std::string(need->permission);
  }
  std::string text =
      fmt::format("gcloud iam roles create {} --project={} --title='hakobu {}, {}' --permissions={}\n", id,
                  project, UseName(use), words.title, list);
  for (const PermissionNeed* need : NeedsOf(use, words.place, true)) {
    text += fmt::format("# and {}: {}\n", need->permission, need->what_for);
  }
  if (words.place == kProject) {
    return text +
           fmt::format(
               "gcloud projects add-iam-policy-binding {0} --member='{1}' --role=projects/{0}/roles/{2}\n",
               project, places.member, id);
  }
  return text + fmt::format(
                    "bq query --project_id={3} --nouse_legacy_sql 'GRANT `projects/{0}/roles/{1}` ON SCHEMA "
                    "`{0}`.`{2}` TO \"{4}\"'\n",
                    project, id, DatasetOf(words.place, places), ProjectOf(kProject, places), places.member);
}

template <typename Role>
std::string Roles(const RolePlaces& places, std::string_view heading, Role role) {
  std::string text;
  for (const Use use : kUses) {
    text += fmt::format("{}\n", fmt::format(fmt::runtime(heading), UseName(use)));
    for (const PlaceWords& words : kPlaces) {
      if (!NeedsOf(use, words.place, false).empty()) text += role(use, words, places);
    }
  }
  return text;
}

}  // namespace

std::string_view UseName(Use use) {
  switch (use) {
    case Use::kNightly:
      return "nightly";
    case Use::kStream:
      return "stream";
    case Use::kGrants:
      return "grants";
  }
  return "nightly";
}

std::span<const PermissionNeed> PermissionNeeds() {
  return kNeeds;
}

std::string_view RoleWith(std::string_view permission) {
  for (const PermissionNeed& need : kNeeds) {
    if (need.permission == permission) return need.role;
  }
  return "";
}

std::string RolesAsTerraform(const RolePlaces& places) {
  return Roles(places, "# {}: what `hakobu check` tries, and nothing else", TerraformRole);
}

std::string RolesAsGcloud(const RolePlaces& places) {
  return Roles(places, "# {}: what `hakobu check` tries, and nothing else", GcloudRole);
}

}  // namespace hakobu
