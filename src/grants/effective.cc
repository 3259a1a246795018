#include "grants/effective.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hakobu {
namespace {

std::string Because(const std::string& target, const AccessEntry& entry, const GrantSources& sources) {
  const std::string key = GrantKey(entry.member, entry.role, "");
  if (const auto found = sources.desired.grants.find(target); found != sources.desired.grants.end()) {
    for (const DesiredGrant& grant : found->second) {
      if (GrantKey(grant.member, grant.role, "") != key) continue;
      return grant.reason.empty() ? grant.source : grant.source + ": " + grant.reason;
    }
  }
  if (const auto found = sources.managed.find(target); found != sources.managed.end()) {
    if (const auto made = found->second.find(key); made != found->second.end()) {
      return fmt::format("apply {}; no line states it any more", made->second);
    }
  }
  if (const AuditChange* change = FindAudit(sources.audit, target, ChangeKind::kAdd, key)) {
    return fmt::format("outside of hakobu, by {} at {}", change->who,
                       absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", change->time, absl::UTCTimeZone()));
  }
  return "outside of hakobu";
}

EffectiveLine LineOf(const std::string& target, const AccessEntry& entry, const GrantSources& sources) {
  EffectiveLine line{target,        entry.role,      entry.member,
                     entry.expires, Certainty::kYes, Because(target, entry, sources)};
  const bool group = entry.member.rfind("group:", 0) == 0 || entry.member.rfind("principalSet:", 0) == 0;
  if (group || entry.kind == EntryKind::kProject || entry.kind == EntryKind::kConditional) {
    line.certainty = Certainty::kIfMember;
  }
  if (entry.kind == EntryKind::kProject) {
    std::string basic = "viewer";
    if (entry.member.find("wner") != std::string::npos) basic = "owner";
    if (entry.member.find("riter") != std::string::npos || entry.member.find("ditor") != std::string::npos)
      basic = "editor";
    line.because = fmt::format("everybody with roles/{} on the project", basic);
  }
  if (entry.kind == EntryKind::kConditional) line.because += ", under a condition: " + entry.raw;
  return line;
}

bool LetsIn(const AccessEntry& entry) {
  return !entry.role.empty() && !entry.member.empty() && entry.kind != EntryKind::kDeleted &&
         entry.kind != EntryKind::kAuthorized;
}

// Does the entry let `member` in, certainly or perhaps.
bool Concerns(const AccessEntry& entry, const std::string& member, const std::vector<std::string>& groups) {
  if (entry.member == member || entry.kind == EntryKind::kProject || entry.kind == EntryKind::kPublic)
    return true;
  if (entry.member.rfind("principalSet:", 0) == 0) return member.rfind("principal:", 0) == 0;
  const bool person = member.rfind("user:", 0) == 0 || member.rfind("serviceAccount:", 0) == 0;
  if (entry.member.rfind("group:", 0) == 0) {
    return groups.empty() ? person : std::find(groups.begin(), groups.end(), entry.member) != groups.end();
  }
  if (entry.member.rfind("domain:", 0) != 0 || member.rfind("user:", 0) != 0) return false;
  const size_t at = member.find('@');
  return at != std::string::npos && member.substr(at + 1) == entry.member.substr(7);
}

}  // namespace

std::vector<EffectiveLine> WhoMay(const TargetState& state, const GrantSources& sources) {
  std::vector<EffectiveLine> lines;
  for (const AccessEntry& entry : state.entries) {
    if (LetsIn(entry)) lines.push_back(LineOf(state.target, entry, sources));
  }
  std::stable_sort(lines.begin(), lines.end(), [](const EffectiveLine& a, const EffectiveLine& b) {
    return std::tie(a.role, a.member) < std::tie(b.role, b.member);
  });
  return lines;
}

std::vector<EffectiveLine> WhatMay(const std::string& member, const std::vector<std::string>& groups,
                                   const std::vector<TargetState>& states, const GrantSources& sources) {
  std::vector<EffectiveLine> lines;
  for (const TargetState& state : states) {
    for (const AccessEntry& entry : state.entries) {
      if (!LetsIn(entry) || !Concerns(entry, member, groups)) continue;
      EffectiveLine line = LineOf(state.target, entry, sources);
      const bool known = std::find(groups.begin(), groups.end(), entry.member) != groups.end();
      if (known || entry.member == member) line.certainty = Certainty::kYes;
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

std::string EffectiveToText(const std::vector<EffectiveLine>& lines) {
  std::string text;
  for (const EffectiveLine& line : lines) {
    text += fmt::format("{}  {} {}{}{}  # {}\n", line.target, line.role, line.member,
                        line.expires.empty() ? "" : " until " + line.expires,
                        line.certainty == Certainty::kYes ? "" : " (its members)", line.because);
  }
  return lines.empty() ? "nobody and nothing\n" : text;
}

std::string EffectiveToJson(const std::vector<EffectiveLine>& lines) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const EffectiveLine& line : lines) {
    nlohmann::ordered_json item = {{"target", line.target}, {"role", line.role}, {"member", line.member}};
    if (!line.expires.empty()) item["expires"] = line.expires;
    item["certain"] = line.certainty == Certainty::kYes;
    item["because"] = line.because;
    list.push_back(std::move(item));
  }
  return nlohmann::ordered_json{{"access", list}}.dump(1) + "\n";
}

}  // namespace hakobu
