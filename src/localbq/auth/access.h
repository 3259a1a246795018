// Who is let in by a dataset's access list, an IAM policy or a row access policy. Pure: nothing is looked up
// here, so that every decision can be tested by itself.
// Source: REST v2, Dataset.access and Policy.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "localbq/auth/condition.h"
#include "localbq/auth/permissions.h"
#include "localbq/catalog/names.h"

namespace hakobu::localbq::auth {

// A caller with everything that stands for it.
struct Subject {
  std::string member;  // "user:a@x.com", "serviceAccount:…", "principal://…"
  // In lower case: the member itself, its groups (also those that hold them), its domain,
  // allauthenticatedusers, allusers, its pool's principalset.
  std::set<std::string, std::less<>> names;
  // The roles that the caller has in the project at hand; for projectReaders and its like.
  std::vector<std::string> project_roles;
};

// What is asked: one permission, on something.
struct Question {
  std::string_view permission;
  ConditionFacts facts;
};

// Whether the subject is `member`, as IAM writes it, or one of those that `member` stands for.
bool IsNamed(const Subject& subject, std::string_view member);

// A dataset's access[].
bool AccessGrants(const nlohmann::json& access, const Subject& subject, const Question& question,
                  const CustomRoles& custom);
// Whether an entry of the dataset's access[] lets everybody through the view: by itself or its dataset.
bool AuthorizesView(const nlohmann::json& access, const TableId& view);

// An IAM policy: {"bindings":[{"role","members","condition"}]}.
bool PolicyGrants(const nlohmann::json& policy, const Subject& subject, const Question& question,
                  const CustomRoles& custom);

// A table's row access policies, by name. Whether there are any, which predicates apply to the subject.
struct RowAccess {
  bool is_filtered = false;  // false: all rows
  bool is_full = false;      // a predicate of the subject's is TRUE
  std::vector<std::string> predicates;
};
RowAccess RowAccessOf(const nlohmann::json& policies, const Subject& subject);

}  // namespace hakobu::localbq::auth
