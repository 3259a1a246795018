#include "delivery/target_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/status.h"

namespace hakobu {
namespace {

using nlohmann::json;
using Answer = PublishTarget::Answer;

// REST writes 64-bit numbers as text.
int64_t Number(const json& object, const char* key) {
  if (!object.contains(key)) return 0;
  if (object[key].is_number()) return object[key].get<int64_t>();
  const std::string text = object[key].is_string() ? object[key].get<std::string>() : "";
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool HasTags(const json& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const json& field) {
    if (field.contains("policyTags") && !field["policyTags"].value("names", json::array()).empty())
      return true;
    return field.contains("fields") && HasTags(field["fields"]);
  });
}

// A refusal is an answer: the identity may write the table and not see who reads it.
absl::StatusOr<Answer> Ask(Rest& rest, const RestCallSpec& spec, const char* list) {
  const absl::StatusOr<std::string> body = rest.Call(spec);
  switch (body.status().code()) {
    case absl::StatusCode::kOk: {
      const json answer = json::parse(*body, nullptr, false);
      if (!answer.is_object())
        return absl::InternalError(fmt::format("{}: the answer is no JSON", spec.what));
      return answer.value(list, json::array()).empty() ? Answer::kNo : Answer::kYes;
    }
    case absl::StatusCode::kNotFound:
      return Answer::kNo;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnimplemented:
      return Answer::kUnknown;
    default:
      return body.status();
  }
}

}  // namespace

absl::StatusOr<PublishTarget> ReadTargetState(std::string_view resource) {
  const json table = json::parse(resource, nullptr, false);
  if (!table.is_object()) return absl::InternalError("BigQuery's table resource is no JSON");
  const std::string type = table.value("type", "TABLE");
  if (type != "TABLE") {
    return WithHint(absl::FailedPreconditionError(fmt::format("the target is a {}, not a table", type)),
                    "it is left as it is: give this table another `target:`, or remove that one");
  }
  PublishTarget state;
  state.exists = true;
  state.resource = std::string(resource);
  state.created_ms = Number(table, "creationTime");
  state.modified_ms = Number(table, "lastModifiedTime");
  state.policy_tags = HasTags(table.value("/schema/fields"_json_pointer, json::array()));
  state.kms_key = table.value("/encryptionConfiguration/kmsKeyName"_json_pointer, "");
  const json time = table.value("timePartitioning", json::object());
  const json range = table.value("rangePartitioning", json::object());
  if (!time.empty()) state.partition_column = time.value("field", "_PARTITIONTIME");
  if (!range.empty()) state.partition_column = range.value("field", "");
  state.partitions_expire = Number(time, "expirationMs") > 0;
  state.require_filter =
      table.value("requirePartitionFilter", false) || time.value("requirePartitionFilter", false);
  return state;
}

absl::StatusOr<PublishTarget> LookAtTarget(Rest& rest, const TableName& target) {
  const absl::StatusOr<Resource> resource = GetTable(rest, target);
  if (resource.status().code() == absl::StatusCode::kNotFound) return PublishTarget();
  HAKOBU_RETURN_IF_ERROR(resource.status());
  absl::StatusOr<PublishTarget> state = ReadTargetState(resource->json);
  if (!state.ok()) return Annotate(state.status(), target.ToString());
  const std::string path =
      ResourcePath({"projects", target.project, "datasets", target.dataset, "tables", target.table});
  HAKOBU_ASSIGN_OR_RETURN(state->row_policies,
                          Ask(rest,
                              {.path = path + "/rowAccessPolicies",
                               .what = "list the row access policies of " + target.ToString()},
                              "rowAccessPolicies"));
  HAKOBU_ASSIGN_OR_RETURN(state->granted, Ask(rest,
                                              {.method = "POST",
                                               .path = path + ":getIamPolicy",
                                               .body = "{}",
                                               .what = "get the grants of " + target.ToString()},
                                              "bindings"));
  return state;
}

}  // namespace hakobu
