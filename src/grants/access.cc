#include "grants/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/status.h"
#include "grants/json_member.h"
#include "grants/json_span.h"
#include "grants/principal.h"

namespace hakobu {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kConditionTitle = "hakobu expiry";
constexpr std::string_view kExpressionStart = "request.time < timestamp(\"";
constexpr std::string_view kExpressionEnd = "\")";

ordered_json ExpiryCondition(const std::string& expires) {
  return {{"expression", fmt::format("{}{}{}", kExpressionStart, expires, kExpressionEnd)},
          {"title", kConditionTitle}};
}

// The time of our own condition; empty when it is somebody else's.
std::string ExpiryOf(const ordered_json& condition) {
  if (!condition.is_object() || TextOf(condition, "title") != kConditionTitle) return {};
  for (const auto& [key, value] : condition.items()) {
    if (key != "title" && key != "expression" && key != "description" && key != "location") return {};
  }
  const std::string expression = TextOf(condition, "expression");
  const std::string_view view = expression;
  if (view.size() < kExpressionStart.size() + kExpressionEnd.size() ||
      view.substr(0, kExpressionStart.size()) != kExpressionStart ||
      view.substr(view.size() - kExpressionEnd.size()) != kExpressionEnd) {
    return {};
  }
  return std::string(
      view.substr(kExpressionStart.size(), view.size() - kExpressionStart.size() - kExpressionEnd.size()));
}

bool IsServiceAccount(std::string_view address) {
  return address.find(".gserviceaccount.com") != std::string_view::npos;
}

// A member as IAM writes it, classified.
void SetIamMember(const std::string& text, AccessEntry* entry) {
  entry->member = text;
  if (text.rfind("deleted:", 0) == 0) {
    entry->kind = EntryKind::kDeleted;
  } else if (text == "allUsers" || text == "allAuthenticatedUsers") {
    entry->kind = EntryKind::kPublic;
  } else if (const size_t colon = text.find(':');
             text.rfind("project", 0) == 0 && colon != std::string::npos) {
    entry->kind = EntryKind::kProject;  // projectOwner:P
  } else if (const ParsedMember parsed = ParseMember(text); !parsed.member.empty()) {
    entry->member = parsed.member;
    entry->kind = EntryKind::kGrant;
  }
}

void SetMember(const std::string& key, const std::string& value, AccessEntry* entry) {
  if (value.rfind("deleted:", 0) == 0) return SetIamMember(value, entry);
  if (key == "userByEmail")
    return SetIamMember((IsServiceAccount(value) ? "serviceAccount:" : "user:") + value, entry);
  if (key == "groupByEmail") return SetIamMember("group:" + value, entry);
  if (key == "domain") return SetIamMember("domain:" + value, entry);
  if (key == "iamMember") return SetIamMember(value, entry);
  entry->member = value;
  const bool project = value == "projectOwners" || value == "projectReaders" || value == "projectWriters";
  if (project) entry->kind = EntryKind::kProject;
  if (value == "allAuthenticatedUsers") entry->kind = EntryKind::kPublic;
}

void Classify(const ordered_json& object, AccessEntry* entry) {
  static const std::set<std::string> kMemberKeys = {"userByEmail", "groupByEmail", "domain", "iamMember",
                                                    "specialGroup"};
  int members = 0;
  bool authorized = false, unknown = false;
  const ordered_json* condition = nullptr;
  for (const auto& [key, value] : object.items()) {
    if (kMemberKeys.contains(key) && value.is_string()) {
      ++members;
      SetMember(key, value.get<std::string>(), entry);
    } else if (key == "view" || key == "routine" || key == "dataset") {
      authorized = true;
    } else if (key == "condition") {
      condition = &value;
    } else if (key == "role" && value.is_string()) {
      entry->role = CanonicalRole(value.get<std::string>());
    } else {
      unknown = true;
    }
  }
  if (authorized && members == 0)
    entry->kind = EntryKind::kAuthorized;
  else if (members != 1 || unknown || entry->role.empty() || authorized)
    entry->kind = EntryKind::kUnknown;
  if (condition == nullptr) return;
  entry->expires = ExpiryOf(*condition);
  if (entry->expires.empty() && entry->kind != EntryKind::kUnknown) entry->kind = EntryKind::kConditional;
}

ordered_json ParseObject(std::string_view text) {
  ordered_json object = ordered_json::parse(text, nullptr, false);
  return object;
}

}  // namespace

std::string GrantKey(std::string_view member, std::string_view role, std::string_view expires) {
  return expires.empty() ? fmt::format("{} {}", role, member)
                         : fmt::format("{} {} until {}", role, member, expires);
}

std::string AccessEntry::Key() const {
  return GrantKey(member, role, expires);
}

std::string AccessEntry::Describe() const {
  switch (kind) {
    case EntryKind::kGrant:
    case EntryKind::kProject:
    case EntryKind::kPublic:
    case EntryKind::kDeleted:
      return Key();
    case EntryKind::kConditional:
      return fmt::format("{} {} under a condition", role, member);
    case EntryKind::kAuthorized:
      return "authorised " + raw;
    case EntryKind::kUnknown:
      break;
  }
  return "entry " + raw;
}

absl::StatusOr<AccessEntry> ReadAccessEntry(std::string_view raw) {
  const ordered_json object = ParseObject(raw);
  if (!object.is_object())
    return absl::InvalidArgumentError(fmt::format("expected an access entry, found {}", raw));
  AccessEntry entry;
  entry.raw = std::string(raw);
  Classify(object, &entry);
  return entry;
}

absl::StatusOr<std::vector<AccessEntry>> ReadDatasetAccess(std::string_view dataset_json) {
  HAKOBU_ASSIGN_OR_RETURN(const auto members, JsonMembers(dataset_json));
  std::vector<AccessEntry> entries;
  for (const auto& [name, value] : members) {
    if (name != "access") continue;
    HAKOBU_ASSIGN_OR_RETURN(const auto elements, JsonElements(value));
    for (const std::string_view element : elements) {
      HAKOBU_ASSIGN_OR_RETURN(AccessEntry entry, ReadAccessEntry(element));
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

std::string DatasetAccessPatch(const std::vector<AccessEntry>& entries) {
  std::string text = R"({"access":[)";
  for (size_t at = 0; at < entries.size(); ++at) {
    if (at > 0) text += ',';
    text += entries[at].raw;
  }
  return text + "]}";
}

absl::StatusOr<std::vector<AccessEntry>> ReadTableAccess(std::string_view policy_json) {
  const ordered_json policy = ParseObject(policy_json);
  if (!policy.is_object()) return absl::InvalidArgumentError("expected an IAM policy, found something else");
  std::vector<AccessEntry> entries;
  if (!policy.contains("bindings")) return entries;
  for (const ordered_json& binding : policy["bindings"]) {
    if (!binding.is_object() || !binding.contains("members")) continue;
    for (const ordered_json& member : binding["members"]) {
      ordered_json object = {{"role", binding.value("role", "")}, {"iamMember", member}};
      for (const auto& [key, value] : binding.items()) {
        if (key != "role" && key != "members") object[key] = value;
      }
      HAKOBU_ASSIGN_OR_RETURN(AccessEntry entry, ReadAccessEntry(object.dump()));
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

absl::StatusOr<std::string> TablePolicy(std::string_view policy_json,
                                        const std::vector<AccessEntry>& entries) {
  ordered_json policy = ParseObject(policy_json);
  if (!policy.is_object()) return absl::InvalidArgumentError("expected an IAM policy, found something else");
  std::vector<std::pair<std::string, ordered_json>> wanted;  // by binding, in order
  for (const AccessEntry& entry : entries) {
    ordered_json object = ParseObject(entry.raw);
    if (!object.is_object())
      return absl::InvalidArgumentError("expected an access entry, found " + entry.raw);
    const ordered_json member = object["iamMember"];
    object.erase("iamMember");
    const std::string key = object.dump();
    auto found =
        std::find_if(wanted.begin(), wanted.end(), [&](const auto& item) { return item.first == key; });
    if (found == wanted.end()) {
      object["members"] = ordered_json::array();
      found = wanted.insert(wanted.end(), {key, object});
    }
    found->second["members"].push_back(member);
  }
  ordered_json bindings = ordered_json::array();
  for (auto& [key, binding] : wanted) {
    const bool conditional = binding.contains("condition");
    if (conditional) policy["version"] = 3;
    bindings.push_back(binding);
  }
  policy["bindings"] = bindings;
  return policy.dump();
}

AccessEntry MakeAccessEntry(AccessForm form, const std::string& member, const std::string& role,
                            const std::string& expires) {
  const size_t colon = member.find(':');
  const std::string kind = member.substr(0, colon);
  const std::string value = member.substr(colon + 1);
  ordered_json object;
  object["role"] = form == AccessForm::kTable || !expires.empty() ? IamRole(role) : DatasetRole(role);
  if (form == AccessForm::kTable || kind == "principal" || kind == "principalSet")
    object["iamMember"] = member;
  else if (kind == "group")
    object["groupByEmail"] = value;
  else if (kind == "domain")
    object["domain"] = value;
  else
    object["userByEmail"] = value;
  if (!expires.empty()) object["condition"] = ExpiryCondition(expires);
  return {EntryKind::kGrant, object.dump(), member, role, expires};
}

}  // namespace hakobu
