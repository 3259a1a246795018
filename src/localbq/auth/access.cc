#include "localbq/auth/access.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "localbq/catalog/json_field.h"

namespace hakobu::localbq::auth {
namespace {

using nlohmann::json;

bool HasRole(const Subject& subject, std::string_view role) {
  return std::ranges::find(subject.project_roles, role) != subject.project_roles.end();
}

bool IsInSpecialGroup(const Subject& subject, std::string_view group) {
  if (group == "projectOwners") return HasRole(subject, "roles/owner");
  if (group == "projectWriters") return HasRole(subject, "roles/editor");
  if (group == "projectReaders") return HasRole(subject, "roles/viewer");
  return IsNamed(subject, group);  // allAuthenticatedUsers, allUsers
}

bool EntryNames(const json& entry, const Subject& subject) {
  if (const std::string email = TextField(entry, "userByEmail"); !email.empty())
    return IsNamed(subject, "user:" + email) || IsNamed(subject, "serviceAccount:" + email);
  if (const std::string email = TextField(entry, "groupByEmail"); !email.empty())
    return IsNamed(subject, "group:" + email);
  if (const std::string domain = TextField(entry, "domain"); !domain.empty())
    return IsNamed(subject, "domain:" + domain);
  if (const std::string group = TextField(entry, "specialGroup"); !group.empty())
    return IsInSpecialGroup(subject, group);
  if (const std::string member = TextField(entry, "iamMember"); !member.empty())
    return IsNamed(subject, member);
  return false;
}

// Without a condition it holds; one that is not understood does not.
bool Holds(const json& entry, const ConditionFacts& facts) {
  const auto condition = entry.find("condition");
  if (condition == entry.end() || !condition->is_object()) return true;
  return ConditionHolds(TextField(*condition, "expression"), facts).value_or(false);
}

bool IsTrue(std::string_view predicate) {
  while (!predicate.empty() && (predicate.front() == ' ' || predicate.front() == '('))
    predicate.remove_prefix(1);
  while (!predicate.empty() && (predicate.back() == ' ' || predicate.back() == ')'))
    predicate.remove_suffix(1);
  return absl::AsciiStrToLower(View(predicate)) == "true";
}

}  // namespace

bool IsNamed(const Subject& subject, std::string_view member) {
  return subject.names.contains(absl::AsciiStrToLower(View(member)));
}

bool AccessGrants(const json& access, const Subject& subject, const Question& question,
                  const CustomRoles& custom) {
  return std::ranges::any_of(access, [&](const json& entry) {
    if (!entry.is_object() || !EntryNames(entry, subject)) return false;
    const std::string role = TextField(entry, "role");
    return RoleGrants(RoleOfLegacyName(role), question.permission, custom) && Holds(entry, question.facts);
  });
}

bool AuthorizesView(const json& access, const TableId& view) {
  return std::ranges::any_of(access, [&](const json& entry) {
    if (!entry.is_object()) return false;
    if (const auto found = entry.find("view"); found != entry.end() && found->is_object()) {
      return TextField(*found, "projectId") == view.project &&
             TextField(*found, "datasetId") == view.dataset && TextField(*found, "tableId") == view.table;
    }
    const auto found = entry.find("dataset");
    if (found == entry.end() || !found->is_object()) return false;
    const auto reference = found->find("dataset");
    const auto types = found->find("targetTypes");
    return reference != found->end() && TextField(*reference, "projectId") == view.project &&
           TextField(*reference, "datasetId") == view.dataset && types != found->end() &&
           std::ranges::any_of(*types, [](const json& type) { return type == "VIEWS"; });
  });
}

bool PolicyGrants(const json& policy, const Subject& subject, const Question& question,
                  const CustomRoles& custom) {
  const auto bindings = policy.find("bindings");
  if (bindings == policy.end() || !bindings->is_array()) return false;
  return std::ranges::any_of(*bindings, [&](const json& binding) {
    if (!binding.is_object() || !RoleGrants(TextField(binding, "role"), question.permission, custom))
      return false;
    const auto members = binding.find("members");
    if (members == binding.end() || !members->is_array() || !Holds(binding, question.facts)) return false;
    return std::ranges::any_of(*members, [&](const json& member) {
      return member.is_string() && IsNamed(subject, member.get_ref<const std::string&>());
    });
  });
}

RowAccess RowAccessOf(const json& policies, const Subject& subject) {
  RowAccess result;
  if (!policies.is_object()) return result;
  for (const auto& [name, policy] : policies.items()) {
    if (!policy.is_object()) continue;
    result.is_filtered = true;
    const auto grantees = policy.find("grantees");
    if (grantees == policy.end() || !grantees->is_array()) continue;
    const bool applies = std::ranges::any_of(*grantees, [&](const json& member) {
      return member.is_string() && IsNamed(subject, member.get_ref<const std::string&>());
    });
    if (!applies) continue;
    std::string predicate = TextField(policy, "filterPredicate");
    result.is_full = result.is_full || IsTrue(predicate);
    result.predicates.push_back(std::move(predicate));
  }
  return result;
}

}  // namespace hakobu::localbq::auth
