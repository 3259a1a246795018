#include "destination/hanging.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "base/status.h"
#include "destination/json.h"

namespace hakobu {
namespace {

using nlohmann::json;

void ReadColumns(const json& fields, const std::string& prefix, Hanging* hanging) {
  for (const json& field : fields) {
    const std::string name = prefix + TextAt(field, "name");
    const bool tagged =
        !ListAt(ObjectAt(field, "policyTags"), "names").empty() || !ListAt(field, "dataPolicies").empty();
    if (tagged) hanging->tagged_columns.push_back(name);
    if (!TextAt(field, "description").empty()) hanging->described_columns.push_back(name);
    ReadColumns(ListAt(field, "fields"), name + ".", hanging);
  }
}

std::vector<std::string> KeysOf(const json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

// …/cryptoKeys/k/cryptoKeyVersions/1 -> …/cryptoKeys/k: what a job may name.
std::string WithoutVersion(std::string key) {
  return key.substr(0, key.find("/cryptoKeyVersions/"));
}

void Say(std::string* text, std::string_view what, const std::vector<std::string>& items) {
  if (items.empty()) return;
  *text += fmt::format("{}{} {}", text->empty() ? "" : "; ", what, fmt::join(items, ", "));
}

}  // namespace

std::string Hanging::WhyFixed(std::string_view column) const {
  for (const std::string& key : key_columns) {
    if (absl::EqualsIgnoreCase(key, View(column))) return "it is a column of the primary key";
  }
  return has_streaming_buffer ? "rows were streamed into the table in the last hours" : "";
}

std::string Hanging::Describe() const {
  std::string text;
  Say(&text, "row access policies", row_policies);
  Say(&text, "policy tags on", tagged_columns);
  Say(&text, "IAM roles", iam_roles);
  if (!kms_key.empty()) Say(&text, "the key", {kms_key});
  if (has_key) Say(&text, "a primary or foreign key", {""});
  Say(&text, "descriptions of", described_columns);
  if (!description.empty()) Say(&text, "a description", {""});
  Say(&text, "labels", labels);
  Say(&text, "tags", resource_tags);
  Say(&text, "not seen:", unseen);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

absl::StatusOr<Hanging> ReadHanging(std::string_view table_json) {
  HAKOBU_ASSIGN_OR_RETURN(const json table, ParseJson(table_json, "read a table resource"));
  Hanging hanging;
  hanging.exists = true;
  hanging.json = std::string(table_json);
  hanging.etag = TextAt(table, "etag");
  hanging.type = TextAt(table, "type");
  if (table.contains("creationTime")) hanging.made = absl::FromUnixMillis(IntegerAt(table, "creationTime"));
  ReadColumns(ListAt(ObjectAt(table, "schema"), "fields"), "", &hanging);
  hanging.kms_key = WithoutVersion(TextAt(ObjectAt(table, "encryptionConfiguration"), "kmsKeyName"));
  hanging.description = TextAt(table, "description");
  hanging.labels = KeysOf(ObjectAt(table, "labels"));
  hanging.resource_tags = KeysOf(ObjectAt(table, "resourceTags"));
  for (const json& column : ListAt(ObjectAt(ObjectAt(table, "tableConstraints"), "primaryKey"), "columns")) {
    if (column.is_string()) hanging.key_columns.push_back(column.get<std::string>());
  }
  hanging.has_key = !ObjectAt(table, "tableConstraints").empty();
  hanging.requires_filter = FlagAt(table, "requirePartitionFilter") ||
                            FlagAt(ObjectAt(table, "timePartitioning"), "requirePartitionFilter");
  hanging.has_streaming_buffer = table.contains("streamingBuffer");
  return hanging;
}

absl::StatusOr<std::vector<std::string>> ListRowPolicies(Rest& rest, const TableName& table) {
  std::vector<std::string> names;
  std::string token;
  do {
    RestCallSpec spec = {.path = ResourcePath({"projects", table.project, "datasets", table.dataset, "tables",
                                               table.table, "rowAccessPolicies"}),
                         .query = {{"pageSize", "100"}},
                         .what = "list the row access policies of " + table.ToString()};
    if (!token.empty()) spec.query.emplace_back("pageToken", token);
    HAKOBU_ASSIGN_OR_RETURN(const std::string body, rest.Call(spec));
    HAKOBU_ASSIGN_OR_RETURN(const json page, ParseJson(body, spec.what));
    for (const json& policy : ListAt(page, "rowAccessPolicies")) {
      names.push_back(TextAt(ObjectAt(policy, "rowAccessPolicyReference"), "policyId"));
    }
    std::string next = TextAt(page, "nextPageToken");
    if (!next.empty() && next == token) {
      return absl::InternalError(fmt::format("{}: the service repeats page token", spec.what));
    }
    token = std::move(next);
  } while (!token.empty());
  return names;
}

absl::StatusOr<Hanging> WhatHangs(Rest& rest, const TableName& table) {
  const absl::StatusOr<Resource> resource = GetTable(rest, table);
  if (absl::IsNotFound(resource.status())) return Hanging();
  HAKOBU_RETURN_IF_ERROR(resource.status());
  HAKOBU_ASSIGN_OR_RETURN(Hanging hanging, ReadHanging(resource->json));
  if (hanging.type != "TABLE" && !hanging.type.empty()) return hanging;

  absl::StatusOr<std::vector<std::string>> policies = ListRowPolicies(rest, table);
  if (policies.ok()) {
    hanging.row_policies = *std::move(policies);
  } else if (absl::IsPermissionDenied(policies.status())) {
    hanging.unseen.push_back("row access policies (bigquery.rowAccessPolicies.list)");
  } else {
    return policies.status();
  }

  const absl::StatusOr<std::string> policy = GetTablePolicy(rest, table);
  if (policy.ok()) {
    HAKOBU_ASSIGN_OR_RETURN(const json document, ParseJson(*policy, "read a table's IAM policy"));
    for (const json& binding : ListAt(document, "bindings")) {
      hanging.iam_roles.push_back(TextAt(binding, "role"));
    }
    return hanging;
  }
  // No way of replacing a table's content takes its IAM policy: not seeing it changes nothing.
  return absl::IsPermissionDenied(policy.status()) ? absl::StatusOr<Hanging>(std::move(hanging))
                                                   : absl::StatusOr<Hanging>(policy.status());
}

}  // namespace hakobu
