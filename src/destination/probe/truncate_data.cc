// What a job with WRITE_TRUNCATE_DATA keeps of what hangs on its target: row access policies, the policy tag
// of a column, key, description, a column's description, table IAM, CMEK. Once by a load, once by a query.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "destination/json.h"
#include "destination/probe/experiments.h"
#include "destination/probe/site.h"

namespace hakobu {
namespace {

using nlohmann::json;

// What hangs on the table, by name; a look that is refused is said so.
absl::StatusOr<std::vector<std::string>> Hanging(ProbeSite& site, const TableName& table) {
  std::vector<std::string> found;
  HAKOBU_ASSIGN_OR_RETURN(const Resource resource, GetTable(site.rest(), table));
  const json read = json::parse(resource.json, nullptr, false);
  const auto has = [&](const char* pointer) { return read.contains(json::json_pointer(pointer)); };
  if (has("/description")) found.emplace_back("description");
  if (has("/labels/probe")) found.emplace_back("labels");
  if (has("/tableConstraints/primaryKey")) found.emplace_back("key");
  if (has("/clustering")) found.emplace_back("clustering");
  if (has("/schema/fields/1/description")) found.emplace_back("column description");
  if (has("/schema/fields/1/policyTags/names/0")) found.emplace_back("policy tag");
  if (has("/encryptionConfiguration/kmsKeyName")) found.emplace_back("encryption key");
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<std::string> policies, ListRowPolicies(site.rest(), table));
  if (!policies.empty()) found.emplace_back("row access policies");
  const absl::StatusOr<std::string> iam = GetTablePolicy(site.rest(), table);
  if (iam.ok() && iam->find("bindings") != std::string::npos) found.emplace_back("grants");
  return found;
}

absl::StatusOr<TableName> MakeTarget(ProbeSite& site, const std::string& name) {
  json note = {{"name", "note"}, {"type", "STRING"}, {"description", "a column of the probe"}};
  if (!site.plan().policy_tag.empty()) note["policyTags"]["names"] = {site.plan().policy_tag};
  json more = {{"description", "a table of the probe"},
               {"labels", {{"probe", "yes"}}},
               {"clustering", {{"fields", {"id"}}}},
               {"tableConstraints", {{"primaryKey", {{"columns", {"id"}}}}}}};
  if (!site.plan().kms_key.empty()) more["encryptionConfiguration"]["kmsKeyName"] = site.plan().kms_key;
  HAKOBU_ASSIGN_OR_RETURN(
      TableName target,
      site.Make(name, json::array({{{"name", "id"}, {"type", "INTEGER"}}, note}).dump(), more.dump()));
  // Everybody who is signed in, to nothing: the dataset is a scratch one, and the filter lets no row through.
  HAKOBU_RETURN_IF_ERROR(
      site.rest()
          .Call({.method = "POST",
                 .path = ResourcePath({"projects", target.project, "datasets", target.dataset, "tables",
                                       target.table, "rowAccessPolicies"}),
                 .body = json{{"rowAccessPolicyReference",
                               {{"projectId", target.project},
                                {"datasetId", target.dataset},
                                {"tableId", target.table},
                                {"policyId", "probe"}}},
                              {"filterPredicate", "FALSE"},
                              {"grantees", {"allAuthenticatedUsers"}}}
                             .dump(),
                 .what = "create a row access policy on " + target.ToString()})
          .status());
  return target;
}

absl::StatusOr<ProbeAnswer> KeptBy(ProbeSite& site, const std::string& way,
                                   absl::FunctionRef<absl::Status(const TableName&)> publish) {
  HAKOBU_ASSIGN_OR_RETURN(const TableName target, MakeTarget(site, "kept_by_" + way));
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<std::string> before, Hanging(site, target));
  HAKOBU_RETURN_IF_ERROR(publish(target));
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<std::string> after, Hanging(site, target));
  std::vector<std::string> lost;
  for (const std::string& each : before) {
    if (std::ranges::find(after, each) == after.end()) lost.push_back(each);
  }
  const auto among = [](const std::vector<std::string>& list) {
    return std::ranges::find(list, "row access policies") != list.end();
  };
  ProbeAnswer answer{.question = "policies_by_" + way};
  answer.seen = fmt::format("kept: {}; lost: {}", fmt::join(after, ", "),
                            lost.empty() ? "nothing" : fmt::format("{}", fmt::join(lost, ", ")));
  if (!among(before)) {
    answer.answer = std::string(kOpenAnswer);
    answer.meaning = "the policy was made and is not listed";
    answer.taken = "MERGE where a target has row access policies";
  } else if (among(after)) {
    answer.answer = "kept";
    answer.meaning = fmt::format("row access policies outlive a {} with WRITE_TRUNCATE_DATA", way);
    answer.taken =
        fmt::format("a {} with WRITE_TRUNCATE_DATA also where a target has row access policies", way);
  } else {
    answer.answer = "lost";
    answer.meaning = fmt::format("a {} with WRITE_TRUNCATE_DATA opens what policies hid", way);
    answer.taken = "MERGE where a target has row access policies";
  }
  return answer;
}

}  // namespace

ProbeAnswers ProbeTruncateData(ProbeSite& site) {
  HAKOBU_ASSIGN_OR_RETURN(ProbeAnswer by_load, KeptBy(site, "load", [&](const TableName& target) {
                            return site.Load(target, "{\"id\":1,\"note\":\"new\"}\n",
                                             WriteDisposition::kTruncateData);
                          }));
  HAKOBU_ASSIGN_OR_RETURN(ProbeAnswer by_query, KeptBy(site, "query", [&](const TableName& target) {
                            return site.Select("SELECT 1 AS id, 'new' AS note", target,
                                               WriteDisposition::kTruncateData);
                          }));
  return std::vector<ProbeAnswer>{std::move(by_load), std::move(by_query)};
}

}  // namespace hakobu
