// grants.yaml: which files state the grants, a team's own kinds of role, what every tenant's dataset gets,
// and how careful apply is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "grants/problems.h"

namespace hakobu {

enum class ExpiryForm { kCondition, kRemove };

struct GrantGuards {
  uint64_t max_removals = 50;
  // Of all members' entries in the datasets looked at; not asked of five removals or fewer.
  double max_removed_share = 0.3;
};

struct KindRole {
  std::string role;  // canonical
};

struct TemplateGrant {
  std::string member;
  std::string role;  // as written: a role or a kind
  std::string reason;
  GrantPlace place;
};

struct GrantTemplate {
  std::string name;
  std::vector<std::string> datasets;  // globs
  std::vector<std::string> except;    // globs
  std::vector<TemplateGrant> grants;  // {dataset} in a member is the dataset's name
  GrantPlace place;
};

struct GrantSettings {
  std::vector<std::string> files = {"grants.csv"};
  std::vector<std::string> datasets = {"*"};              // globs: the datasets that are looked at
  std::map<std::string, std::vector<std::string>> kinds;  // name -> canonical roles
  std::vector<GrantTemplate> templates;
  GrantGuards guards;
  ExpiryForm expiry = ExpiryForm::kCondition;
};

// Everything wrong goes to `problems`; what is right is returned all the same.
GrantSettings ParseGrantSettings(std::string_view text, const std::string& file, GrantProblems* problems);

}  // namespace hakobu
