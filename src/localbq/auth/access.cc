#include "localbq/auth/access.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hakobu::localbq::auth {
namespace {

using nlohmann::json;

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

std::string TextAt(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

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
  if (const std::string email = TextAt(entry, "userByEmail"); !email.empty())
    return IsNamed(subject, "user:" + email) || IsNamed(subject, "serviceAccount:" + email);
  if (const std::string email = TextAt(entry, "groupByEmail"); !email.empty())
    return IsNamed(subject, "group:" + email);
  if (const std::string domain = TextAt(entry, "domain"); !domain.empty())
    return IsNamed(subject, "domain:" + domain);
  if (const std::string group = TextAt(entry, "specialGroup"); !group.empty())
    return IsInSpecialGroup(subject, group);
  if (const std::string member = TextAt(entry, "iamMember"); !member.empty()) return IsNamed(subject, member);
  return false;
}

// Without a condition it holds; one that is not understood does not.
bool Holds(const json& entry, const ConditionFacts& facts) {
  const auto condition = entry.find("condition");
  if (condition == entry.end() || !condition->is_object()) return true;
  return ConditionHolds(TextAt(*condition, "expression"), facts).value_or(false);
}

bool IsTrue(std::string_view predicate) {
  while (!predicate.empty() && (predicate.front() == ' ' || predicate.front() == '('))
    predicate.remove_prefix(1);
  while (!predicate.empty() && (predicate.back() == ' ' || predicate.back() == ')'))
    predicate.remove_suffix(1);
  return Lower(predicate) == "true";
}

}  // namespace

bool IsNamed(const Subject& subject, std::string_view member) {
  return subject.names.contains(Lower(member));
}

bool AccessGrants(const json& access, const Subject& subject, const Question& question,
                  const CustomRoles& custom) {
  return std::ranges::any_of(access, [&](const json& entry) {
    if (!entry.is_object() || !EntryNames(entry, subject)) return false;
    const std::string role = TextAt(entry, "role");
    return RoleGrants(RoleOfLegacyName(role), question.permission, custom) && Holds(entry, question.facts);
  });
}

bool AuthorizesView(const json& access, const TableId& view) {
  return std::ranges::any_of(access, [&](const json& entry) {
    if (!entry.is_object()) return false;
    if (const auto found = entry.find("view"); found != entry.end() && found->is_object()) {
      return TextAt(*found, "projectId") == view.project && TextAt(*found, "datasetId") == view.dataset &&
             TextAt(*found, "tableId") == view.table;
    }
    const auto found = entry.find("dataset");
    if (found == entry.end() || !found->is_object()) return false;
    const auto reference = found->find("dataset");
    const auto types = found->find("targetTypes");
    return reference != found->end() && TextAt(*reference, "projectId") == view.project &&
           TextAt(*reference, "datasetId") == view.dataset && types != found->end() &&
           std::ranges::any_of(*types, [](const json& type) { return type == "VIEWS"; });
  });
}

bool PolicyGrants(const json& policy, const Subject& subject, const Question& question,
                  const CustomRoles& custom) {
  const auto bindings = policy.find("bindings");
  if (bindings == policy.end() || !bindings->is_array()) return false;
  return std::ranges::any_of(*bindings, [&](const json& binding) {
    if (!binding.is_object() || !RoleGrants(TextAt(binding, "role"), question.permission, custom))
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
    std::string predicate = TextAt(policy, "filterPredicate");
    result.is_full = result.is_full || IsTrue(predicate);
    result.predicates.push_back(std::move(predicate));
  }
  return result;
}

}  // namespace hakobu::localbq::auth
