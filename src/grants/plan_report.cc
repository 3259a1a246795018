// A plan as text, Markdown and JSON.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/escape.h"
#include "base/status.h"
#include "grants/json_member.h"
#include "grants/plan.h"
#include "grants/principal.h"

namespace hakobu {
namespace {

using nlohmann::ordered_json;

std::string Plural(size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string Summary(const GrantPlan& plan) {
  size_t targets = 0, unmanaged = 0, refused = 0;
  for (const TargetPlan& target : plan.targets) {
    targets += target.changes.empty() ? 0 : 1;
    unmanaged += target.unmanaged.size();
    refused += target.refused.size();
  }
  std::string text =
      fmt::format("{} to add, {} to remove in {} of {}", plan.Additions(), plan.Removals(), targets,
                  Plural(plan.targets.size(), "dataset or table", "datasets and tables"));
  if (unmanaged > 0) text += fmt::format("; {} unmanaged", unmanaged);
  if (refused > 0) text += fmt::format("; {} refused by guards", refused);
  return text;
}

bool Shown(const TargetPlan& target) {
  return !target.changes.empty() || !target.unmanaged.empty() || !target.refused.empty();
}

std::string DiffLines(const TargetPlan& target) {
  std::string text;
  for (const GrantChange& change : target.changes) {
    text += fmt::format("{} {}  # {}\n", change.kind == ChangeKind::kAdd ? '+' : '-',
                        EscapeControl(change.entry.Describe()), EscapeControl(change.why));
  }
  for (const AccessEntry& entry : target.unmanaged)
    text += fmt::format("? {}  # unmanaged: no line states it\n", EscapeControl(entry.Describe()));
  for (const std::string& refused : target.refused) text += fmt::format("! {}\n", EscapeControl(refused));
  return text;
}

std::string Fenced(std::string_view language, const std::string& lines) {
  const std::string fence = MarkdownFence(lines);
  return fmt::format("\n{}{}\n{}{}\n", fence, language, lines, fence);
}

ordered_json EntryJson(const AccessEntry& entry) {
  ordered_json object = {{"member", entry.member}, {"role", entry.role}};
  if (!entry.expires.empty()) object["expires"] = entry.expires;
  object["entry"] = entry.raw;  // as text: its bytes matter
  return object;
}

ordered_json TargetJson(const TargetPlan& target) {
  ordered_json object = {{"target", target.target}, {"etag", target.etag}, {"members", target.members}};
  object["changes"] = ordered_json::array();
  for (const GrantChange& change : target.changes) {
    ordered_json item = {{"change", change.kind == ChangeKind::kAdd ? "add" : "remove"}};
    item.update(EntryJson(change.entry));
    item["why"] = change.why;
    object["changes"].push_back(std::move(item));
  }
  for (const auto& [name, entries] :
       {std::pair{"unmanaged", &target.unmanaged}, std::pair{"kept", &target.kept}}) {
    object[name] = ordered_json::array();
    for (const AccessEntry& entry : *entries) object[name].push_back(EntryJson(entry));
  }
  object["refused"] = target.refused;
  object["stated"] = target.stated;
  return object;
}

absl::StatusOr<std::vector<AccessEntry>> EntriesOf(const ordered_json& list) {
  std::vector<AccessEntry> entries;
  for (const ordered_json& item : list) {
    HAKOBU_ASSIGN_OR_RETURN(AccessEntry entry, ReadAccessEntry(TextOf(item, "entry")));
    entries.push_back(std::move(entry));
  }
  return entries;
}

// What a reviewer sees (member, role, expires) and what would be written (entry) are the same thing, or the
// file has been changed: an addition is made anew from what is shown, a removal must be of a kind that a plan
// removes.
absl::StatusOr<AccessEntry> CheckedEntry(const ordered_json& item, ChangeKind kind, AccessForm form) {
  HAKOBU_ASSIGN_OR_RETURN(AccessEntry entry, ReadAccessEntry(TextOf(item, "entry")));
  const std::string member = TextOf(item, "member"), role = TextOf(item, "role"),
                    expires = TextOf(item, "expires");
  if (entry.member != member || entry.role != role || entry.expires != expires) {
    return absl::InvalidArgumentError(fmt::format("expected the entry of {} {}, found that of {}",
                                                  EscapeControl(role), EscapeControl(member),
                                                  EscapeControl(entry.Describe())));
  }
  if (kind == ChangeKind::kRemove) {
    if (entry.kind == EntryKind::kGrant || entry.kind == EntryKind::kDeleted ||
        entry.kind == EntryKind::kPublic)
      return entry;
    return absl::InvalidArgumentError(
        fmt::format("expected to remove a member's role, found {}", EscapeControl(entry.Describe())));
  }
  const ParsedMember parsed_member = ParseMember(member);
  if (parsed_member.member != member) {
    return WithHint(
        absl::InvalidArgumentError(fmt::format(
            "expected to add {}, found {}",
            parsed_member.expected.empty() ? "a member in its canonical form" : parsed_member.expected,
            EscapeControl(member))),
        parsed_member.hint);
  }
  const ParsedRole parsed_role = ParseRole(role);
  if (parsed_role.role != role) {
    return absl::InvalidArgumentError(
        fmt::format("expected to add a role as plans write it, found {}", EscapeControl(role)));
  }
  if (absl::Time end; !expires.empty() && !absl::ParseTime(absl::RFC3339_full, expires, &end, nullptr)) {
    return absl::InvalidArgumentError(
        fmt::format("expected a time as the end, found {}", EscapeControl(expires)));
  }
  const AccessEntry made = MakeAccessEntry(form, member, role, expires);
  if (made == entry) return made;
  return absl::InvalidArgumentError(
      fmt::format("expected the entry {}, found {}", made.raw, EscapeControl(entry.raw)));
}

absl::StatusOr<TargetPlan> TargetFromJson(const ordered_json& object) {
  TargetPlan target;
  target.target = TextOf(object, "target");
  target.etag = TextOf(object, "etag");
  target.members = object.value("members", size_t{0});
  if (target.target.empty() || target.etag.empty())
    return absl::InvalidArgumentError("expected target and etag");
  const AccessForm form =
      target.target.find('.') == std::string::npos ? AccessForm::kDataset : AccessForm::kTable;
  for (const ordered_json& item : object.value("changes", ordered_json::array())) {
    GrantChange change;
    const std::string kind = TextOf(item, "change");
    if (kind != "add" && kind != "remove")
      return absl::InvalidArgumentError("expected change to be add or remove");
    change.kind = kind == "add" ? ChangeKind::kAdd : ChangeKind::kRemove;
    absl::StatusOr<AccessEntry> entry = CheckedEntry(item, change.kind, form);
    if (!entry.ok()) return Annotate(entry.status(), EscapeControl(target.target));
    change.entry = *std::move(entry);
    change.why = TextOf(item, "why");
    target.changes.push_back(std::move(change));
  }
  HAKOBU_ASSIGN_OR_RETURN(target.unmanaged, EntriesOf(object.value("unmanaged", ordered_json::array())));
  HAKOBU_ASSIGN_OR_RETURN(target.kept, EntriesOf(object.value("kept", ordered_json::array())));
  target.refused = object.value("refused", std::vector<std::string>{});
  target.stated = object.value("stated", std::vector<std::string>{});
  return target;
}

}  // namespace

std::string PlanToText(const GrantPlan& plan) {
  std::string text = EscapeControlKeepLines(plan.warnings);
  for (const TargetPlan& target : plan.targets) {
    if (!Shown(target)) continue;
    text += fmt::format("{}.{}\n", EscapeControl(plan.project), EscapeControl(target.target));
    const std::string lines = DiffLines(target);
    for (size_t at = 0; at < lines.size();) {
      const size_t end = lines.find('\n', at) + 1;
      text += "  " + lines.substr(at, end - at);
      at = end;
    }
  }
  return text + Summary(plan) + "\n";
}

std::string PlanToMarkdown(const GrantPlan& plan) {
  std::string text =
      fmt::format("### BigQuery grants: {}\n\n{}.\n", MarkdownCode(plan.project), Summary(plan));
  if (!plan.warnings.empty()) text += Fenced("", EscapeControlKeepLines(plan.warnings));
  for (const TargetPlan& target : plan.targets) {
    if (target.changes.empty() && target.refused.empty()) continue;
    text += fmt::format("\n#### {}\n{}", MarkdownCode(target.target), Fenced("diff", DiffLines(target)));
  }
  bool headed = false;
  for (const TargetPlan& target : plan.targets) {
    if (!target.changes.empty() || !target.refused.empty() || target.unmanaged.empty()) continue;
    if (!headed) text += "\n<details><summary>Unmanaged grants elsewhere</summary>\n\n";
    headed = true;
    for (const AccessEntry& entry : target.unmanaged)
      text += fmt::format("- {}: {}\n", MarkdownCode(target.target), MarkdownCode(entry.Describe()));
  }
  return headed ? text + "\n</details>\n" : text;
}

std::string PlanToJson(const GrantPlan& plan) {
  ordered_json object = {{"hakobu_grants_plan", 1},
                         {"project", plan.project},
                         {"caller", plan.caller},
                         {"commit", plan.commit},
                         {"created", plan.created},
                         {"removal", plan.removal == RemovalPolicy::kOnlyAdd ? "only-add" : "remove"},
                         {"unmanaged", plan.unmanaged == UnmanagedPolicy::kPrune ? "prune" : "report"},
                         {"additions", plan.Additions()},
                         {"removals", plan.Removals()},
                         {"warnings", plan.warnings}};
  object["targets"] = ordered_json::array();
  for (const TargetPlan& target : plan.targets) object["targets"].push_back(TargetJson(target));
  return object.dump(1) + "\n";
}

namespace {

absl::StatusOr<GrantPlan> ReadPlan(const ordered_json& object) {
  if (!object.is_object() || object.value("hakobu_grants_plan", 0) != 1) {
    return WithHint(
        absl::InvalidArgumentError("expected a plan of `hakobu grants plan --out`, found something else"),
        "make the plan again");
  }
  GrantPlan plan;
  plan.project = TextOf(object, "project");
  plan.caller = TextOf(object, "caller");
  plan.commit = TextOf(object, "commit");
  plan.created = TextOf(object, "created");
  plan.removal = TextOf(object, "removal") == "only-add" ? RemovalPolicy::kOnlyAdd : RemovalPolicy::kRemove;
  plan.unmanaged =
      TextOf(object, "unmanaged") == "prune" ? UnmanagedPolicy::kPrune : UnmanagedPolicy::kReport;
  plan.warnings = TextOf(object, "warnings");
  for (const ordered_json& item : object.value("targets", ordered_json::array())) {
    absl::StatusOr<TargetPlan> target = TargetFromJson(item);
    if (!target.ok()) return Annotate(target.status(), "read a target of the plan");
    for (const TargetPlan& other : plan.targets) {
      if (other.target == target->target)
        return absl::InvalidArgumentError(
            fmt::format("expected each target once, found {} twice", other.target));
    }
    plan.targets.push_back(*std::move(target));
  }
  if (plan.removal == RemovalPolicy::kOnlyAdd && plan.Removals() > 0)
    return absl::InvalidArgumentError("expected no removal in a plan made with --only-add, found one");
  return plan;
}

}  // namespace

absl::StatusOr<GrantPlan> PlanFromJson(std::string_view json) {
  try {
    return ReadPlan(ordered_json::parse(json));
  } catch (const ordered_json::exception&) {
    return WithHint(absl::InvalidArgumentError(
                        "expected a plan of `hakobu grants plan --out`, found other JSON, or none"),
                    "make the plan again");
  }
}

}  // namespace hakobu
