// Table IAM policies and row access policies: stored with the table, read back as they were written.
// Source: https://cloud.google.com/bigquery/docs/reference/rest/v2/{tables,rowAccessPolicies}
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/publish.h"
#include "localbq/rest/access.h"
#include "localbq/rest/service.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

json EmptyPolicy() {
  return {{"etag", "ACAB"}, {"version", 1}};
}

std::string PolicyEtag() {
  return absl::WebSafeBase64Escape(std::to_string(absl::ToUnixNanos(absl::Now())));
}

absl::StatusOr<json> StoredField(const Service& service, const TableId& id, const char* key) {
  HAKOBU_ASSIGN_OR_RETURN(const TablePtr table, service.catalog->GetTable(id));
  const json other = json::parse(table->other);
  return other.contains(key) ? other[key] : json();
}

absl::Status ChangeField(const Service& service, const TableId& id, const char* key,
                         absl::FunctionRef<absl::Status(json&)> change) {
  const auto apply = [&](Table& table) -> absl::Status {
    json other = json::parse(table.other);
    HAKOBU_RETURN_IF_ERROR(change(other[key]));
    table.other = other.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return absl::OkStatus();
  };
  return service.catalog->UpdateTable(id, "", apply).status();
}

absl::Status NotFoundPolicy(const TableId& id, const std::string& policy) {
  return absl::NotFoundError(
      fmt::format("Not found: Row access policy {} on Table {}", policy, DisplayName(id)));
}

absl::StatusOr<json> PolicyFrom(const json& body, const TableId& id) {
  json policy = body;
  const std::string name = Text(Child(body, "rowAccessPolicyReference"), "policyId");
  if (name.empty()) {
    return WithReason(absl::InvalidArgumentError("Required parameter is missing: policyId"), "required");
  }
  if (Text(body, "filterPredicate").empty()) {
    return WithReason(absl::InvalidArgumentError("Required parameter is missing: filterPredicate"),
                      "required");
  }
  policy["rowAccessPolicyReference"] = ToReference(id);
  policy["rowAccessPolicyReference"]["policyId"] = name;
  const std::string now = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  if (!policy.contains("creationTime")) policy["creationTime"] = now;
  policy["lastModifiedTime"] = now;
  policy["etag"] = PolicyEtag();
  return policy;
}

}  // namespace

absl::StatusOr<Reply> GetTablePolicy(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(const json policy, StoredField(service, TableOf(request), kIamPolicyKey));
  return JsonReply(policy.is_null() ? EmptyPolicy() : policy);
}

absl::StatusOr<Reply> SetTablePolicy(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(const json body, request.Json());
  json policy = Child(body, "policy");
  const auto change = [&](json& stored) -> absl::Status {
    const std::string before =
        stored.is_null() ? EmptyPolicy()["etag"].get<std::string>() : Text(stored, "etag");
    if (const std::string seen = Text(policy, "etag"); !seen.empty() && seen != before) {
      return WithReason(absl::AbortedError("There were concurrent policy changes. Please retry the whole "
                                           "read-modify-write with exponential backoff."),
                        "aborted");
    }
    policy["etag"] = PolicyEtag();
    if (!policy.contains("version")) policy["version"] = 1;
    stored = policy;
    return absl::OkStatus();
  };
  HAKOBU_RETURN_IF_ERROR(ChangeField(service, TableOf(request), kIamPolicyKey, change));
  return JsonReply(policy);
}

absl::StatusOr<Reply> TestTablePermissions(Service& service, const Request& request) {
  HAKOBU_RETURN_IF_ERROR(service.catalog->GetTable(TableOf(request)).status());
  HAKOBU_ASSIGN_OR_RETURN(const json body, request.Json());
  json answer = json::object();
  if (!body.contains("permissions") || !body["permissions"].is_array()) return JsonReply(answer);
  const TableId id = TableOf(request);
  for (const json& permission : body["permissions"]) {
    if (!permission.is_string()) continue;
    const std::string& name = permission.get_ref<const std::string&>();
    if (IsVisible(service, request, name, {id.project, id.dataset, id.table}))
      answer["permissions"].push_back(name);
  }
  return JsonReply(answer);
}

absl::StatusOr<Reply> ListRowPolicies(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(const json policies, StoredField(service, TableOf(request), kRowPoliciesKey));
  json list = json::object();
  for (const auto& [name, policy] : policies.items()) list["rowAccessPolicies"].push_back(policy);
  return JsonReply(list);
}

absl::StatusOr<Reply> InsertRowPolicy(Service& service, const Request& request) {
  const TableId id = TableOf(request);
  HAKOBU_ASSIGN_OR_RETURN(const json body, request.Json());
  HAKOBU_ASSIGN_OR_RETURN(const json policy, PolicyFrom(body, id));
  const std::string name = policy["rowAccessPolicyReference"]["policyId"];
  const auto change = [&](json& stored) -> absl::Status {
    if (stored.contains(name)) {
      return absl::AlreadyExistsError(
          fmt::format("Already Exists: Row access policy {} on Table {}", name, DisplayName(id)));
    }
    stored[name] = policy;
    return absl::OkStatus();
  };
  HAKOBU_RETURN_IF_ERROR(ChangeField(service, id, kRowPoliciesKey, change));
  return JsonReply(policy);
}

absl::StatusOr<Reply> GetRowPolicy(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(const json policies, StoredField(service, TableOf(request), kRowPoliciesKey));
  if (!policies.contains(request.Segment(7))) return NotFoundPolicy(TableOf(request), request.Segment(7));
  return JsonReply(policies[request.Segment(7)]);
}

absl::StatusOr<Reply> UpdateRowPolicy(Service& service, const Request& request) {
  const TableId id = TableOf(request);
  HAKOBU_ASSIGN_OR_RETURN(json body, request.Json());
  body["rowAccessPolicyReference"]["policyId"] = request.Segment(7);
  HAKOBU_ASSIGN_OR_RETURN(json policy, PolicyFrom(body, id));
  const auto change = [&](json& stored) -> absl::Status {
    if (!stored.contains(request.Segment(7))) return NotFoundPolicy(id, request.Segment(7));
    policy["creationTime"] = stored[request.Segment(7)]["creationTime"];
    stored[request.Segment(7)] = policy;
    return absl::OkStatus();
  };
  HAKOBU_RETURN_IF_ERROR(ChangeField(service, id, kRowPoliciesKey, change));
  return JsonReply(policy);
}

absl::StatusOr<Reply> DeleteRowPolicy(Service& service, const Request& request) {
  const TableId id = TableOf(request);
  const auto change = [&](json& stored) -> absl::Status {
    if (!stored.contains(request.Segment(7))) return NotFoundPolicy(id, request.Segment(7));
    stored.erase(request.Segment(7));
    return absl::OkStatus();
  };
  HAKOBU_RETURN_IF_ERROR(ChangeField(service, id, kRowPoliciesKey, change));
  Reply reply;
  reply.status = 204;
  return reply;
}

absl::StatusOr<Reply> DeleteRowPolicies(Service& service, const Request& request) {
  const TableId id = TableOf(request);
  HAKOBU_ASSIGN_OR_RETURN(const json body, request.Json());
  const auto change = [&](json& stored) -> absl::Status {
    for (const json& name : body.value("policyIds", json::array())) {
      if (!stored.contains(name.get<std::string>())) return NotFoundPolicy(id, name.get<std::string>());
      stored.erase(name.get<std::string>());
    }
    return absl::OkStatus();
  };
  HAKOBU_RETURN_IF_ERROR(ChangeField(service, id, kRowPoliciesKey, change));
  Reply reply;
  reply.status = 204;
  return reply;
}

}  // namespace hakobu::localbq::rest
