// Who may do what, and why: every way in which an access list lets somebody in. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "grants/drift.h"
#include "grants/plan.h"

namespace hakobu {

enum class Certainty {
  kYes,      // the entry names the member
  kIfMember  // holds for members of a group, or for holders of a project's basic role, which BigQuery does
             // not list
};

struct EffectiveLine {
  std::string target;
  std::string role;
  std::string member;  // as the entry names it
  std::string expires;
  Certainty certainty = Certainty::kYes;
  std::string because;  // "grants.csv:12: monthly report", "apply 7", "outside of hakobu, by a@x.com at …"
};

// What is known about where grants come from.
struct GrantSources {
  DesiredState desired;
  std::map<std::string, std::map<std::string, int64_t>> managed;  // GrantBook::Managed
  std::vector<AuditChange> audit;
};

// All who are let into the target.
std::vector<EffectiveLine> WhoMay(const TargetState& state, const GrantSources& sources);
// All that `member` (canonical) is let into; `groups`: groups it is known to belong to.
std::vector<EffectiveLine> WhatMay(const std::string& member, const std::vector<std::string>& groups,
                                   const std::vector<TargetState>& states, const GrantSources& sources);
std::string EffectiveToText(const std::vector<EffectiveLine>& lines);
std::string EffectiveToJson(const std::vector<EffectiveLine>& lines);

}  // namespace hakobu
