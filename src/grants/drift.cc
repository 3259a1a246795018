#include "grants/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/escape.h"
#include "base/status.h"
#include "grants/json_member.h"
#include "grants/json_span.h"
#include "grants/principal.h"

namespace hakobu {
namespace {

using nlohmann::ordered_json;

const ordered_json& At(const ordered_json& object, const char* key) {
  static const ordered_json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(key);
  return found == object.end() ? kNone : *found;
}

// "projects/p/datasets/d/tables/t" -> "d.t".
std::string TargetOf(std::string_view resource) {
  const size_t datasets = resource.find("/datasets/");
  if (datasets == std::string_view::npos) return {};
  std::string_view rest = resource.substr(datasets + 10);
  const size_t tables = rest.find("/tables/");
  if (tables == std::string_view::npos) return std::string(rest.substr(0, rest.find('/')));
  const std::string_view table = rest.substr(tables + 8);
  return std::string(rest.substr(0, tables)) + "." + std::string(table.substr(0, table.find('/')));
}

void ReadLogEntry(const ordered_json& entry, std::vector<AuditChange>* changes) {
  const ordered_json& payload = At(entry, "protoPayload");
  AuditChange change;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, TextOf(entry, "timestamp"), &change.time, &error)) return;
  change.who = TextOf(At(payload, "authenticationInfo"), "principalEmail");
  change.target = TargetOf(TextOf(payload, "resourceName"));
  const ordered_json& metadata = At(payload, "metadata");
  for (const ordered_json* deltas : {&At(At(metadata, "datasetChange"), "bindingDeltas"),
                                     &At(At(metadata, "tableChange"), "bindingDeltas"),
                                     &At(At(At(payload, "serviceData"), "policyDelta"), "bindingDeltas")}) {
    if (!deltas->is_array() || change.target.empty()) continue;
    for (const ordered_json& delta : *deltas) {
      const std::string action = TextOf(delta, "action");
      if (action != "ADD" && action != "REMOVE") continue;
      change.kind = action == "ADD" ? ChangeKind::kAdd : ChangeKind::kRemove;
      const std::string member = TextOf(delta, "member");
      const ParsedMember parsed = ParseMember(member);
      change.key =
          GrantKey(parsed.member.empty() ? member : parsed.member, CanonicalRole(TextOf(delta, "role")), "");
      changes->push_back(change);
    }
  }
}

std::string When(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

}  // namespace

absl::StatusOr<std::vector<AuditChange>> ParseAuditLog(std::string_view text) {
  std::vector<AuditChange> changes;
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return changes;
  if (text[start] == '[') {
    const ordered_json list = ordered_json::parse(text, nullptr, false);
    if (!list.is_array())
      return absl::InvalidArgumentError("expected an array of log entries, found something else");
    for (const ordered_json& entry : list) ReadLogEntry(entry, &changes);
  } else {
    int line = 0;
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      const std::string_view one = text.substr(at, end - at);
      at = end + 1;
      ++line;
      if (one.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      const ordered_json entry = ordered_json::parse(one, nullptr, false);
      if (!entry.is_object()) {
        return absl::InvalidArgumentError(
            fmt::format("line {}: expected a log entry as a JSON object", line));
      }
      ReadLogEntry(entry, &changes);
    }
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const AuditChange& a, const AuditChange& b) { return a.time < b.time; });
  return changes;
}

const AuditChange* FindAudit(const std::vector<AuditChange>& audit, const std::string& target,
                             ChangeKind kind, const std::string& key) {
  const AuditChange* last = nullptr;
  for (const AuditChange& change : audit) {
    if (change.target == target && change.kind == kind && change.key == key) last = &change;
  }
  return last;
}

std::vector<DriftLine> FindDrift(const std::map<std::string, Baseline>& baselines,
                                 const std::vector<TargetState>& states,
                                 const std::vector<AuditChange>& audit) {
  std::vector<DriftLine> lines;
  for (const TargetState& state : states) {
    const auto found = baselines.find(state.target);
    if (found == baselines.end()) continue;
    const Baseline& baseline = found->second;
    const auto same = [](const AccessEntry& a, const AccessEntry& b) {
      return a == b || (a.kind == EntryKind::kGrant && b.kind == EntryKind::kGrant && a.Key() == b.Key());
    };
    const auto report = [&](const std::vector<AccessEntry>& from, const std::vector<AccessEntry>& in,
                            ChangeKind kind) {
      for (const AccessEntry& entry : from) {
        if (std::any_of(in.begin(), in.end(), [&](const AccessEntry& other) { return same(entry, other); }))
          continue;
        DriftLine line{state.target,        kind, entry, baseline.apply_id, baseline.applied, "",
                       absl::InfinitePast()};
        const AuditChange* change =
            FindAudit(audit, state.target, kind, GrantKey(entry.member, entry.role, ""));
        if (change != nullptr && change->time >= baseline.applied) {
          line.who = change->who;
          line.when = change->time;
        }
        lines.push_back(std::move(line));
      }
    };
    report(baseline.entries, state.entries, ChangeKind::kRemove);
    report(state.entries, baseline.entries, ChangeKind::kAdd);
  }
  return lines;
}

std::string DriftToText(const std::vector<DriftLine>& lines) {
  std::string text, target;
  for (const DriftLine& line : lines) {
    if (line.target != target)
      text += fmt::format("{} (since apply {} of {})\n", line.target, line.since_apply, When(line.since));
    target = line.target;
    text += fmt::format("  {} {}", line.kind == ChangeKind::kAdd ? '+' : '-',
                        EscapeControl(line.entry.Describe()));
    if (!line.who.empty()) text += fmt::format("  # {} at {}", EscapeControl(line.who), When(line.when));
    text += '\n';
  }
  return text + (lines.empty() ? "no drift\n" : fmt::format("{} changed outside of hakobu\n", lines.size()));
}

std::string DriftToJson(const std::vector<DriftLine>& lines) {
  ordered_json list = ordered_json::array();
  for (const DriftLine& line : lines) {
    ordered_json item = {
        {"target", line.target},       {"change", line.kind == ChangeKind::kAdd ? "added" : "removed"},
        {"member", line.entry.member}, {"role", line.entry.role},
        {"entry", line.entry.raw},     {"since_apply", line.since_apply},
        {"since", When(line.since)}};
    if (!line.who.empty()) {
      item["who"] = line.who;
      item["when"] = When(line.when);
    }
    list.push_back(std::move(item));
  }
  return ordered_json{{"drift", list}}.dump(1) + "\n";
}

std::string EntriesToJson(const std::vector<AccessEntry>& entries) {
  const std::string patch = DatasetAccessPatch(entries);
  return patch.substr(10, patch.size() - 11);  // without {"access": and }
}

absl::StatusOr<std::vector<AccessEntry>> EntriesFromJson(std::string_view json) {
  return ReadDatasetAccess(fmt::format(R"({{"access":{}}})", json));
}

}  // namespace hakobu
