#include "app/grants_actions.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/grants_alerts.h"
#include "base/escape.h"
#include "base/status.h"
#include "grants/export.h"
#include "grants/principal.h"

namespace hakobu {
namespace {

std::string TimeText(absl::Time time) {
  return time == absl::InfinitePast() ? "-"
                                      : absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

absl::Status Print(const std::string& text, const std::string& out) {
  if (!out.empty()) return WriteWholeFile(out, text);
  fmt::print("{}", text);
  return absl::OkStatus();
}

absl::Status Prepare(GrantsSession& session) {
  HAKOBU_RETURN_IF_ERROR(session.LoadDesired());
  return session.ReadStates();
}

// `yes`, or a person who types it.
absl::Status Confirm(bool yes, const std::string& question) {
  if (yes) return absl::OkStatus();
  if (isatty(STDIN_FILENO) == 0) {
    return WithHint(absl::InvalidArgumentError(question + ": nobody is there to confirm"), "give --yes");
  }
  fmt::print("{} Type yes: ", question);
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes" ? absl::OkStatus() : absl::CancelledError("not confirmed; nothing was changed");
}

// What keeps the datasets that the plan changes from being read: whether they have changed is not known then.
absl::Status UnreadChanges(const GrantPlan& plan, const ReadResult& result) {
  for (const auto& [target, status] : result.failed) {
    for (const TargetPlan& planned : plan.targets) {
      if (planned.target != target || planned.changes.empty()) continue;
      if (absl::IsNotFound(status)) return Annotate(WithHint(status, "plan again, and review it"), target);
      return Annotate(status, "read " + target);
    }
  }
  return absl::OkStatus();
}

// A reviewed plan is applied as it is: a flag that would have made another one must not pass unheard.
absl::Status CheckPolicies(const GrantPlan& plan, const GrantsOptions& options) {
  std::string_view flag;
  if (options.only_add && plan.removal != RemovalPolicy::kOnlyAdd) flag = "--only-add";
  if (options.prune && plan.unmanaged != UnmanagedPolicy::kPrune) flag = "--prune";
  if (!options.was.empty()) flag = "--was";
  if (flag.empty()) return absl::OkStatus();
  return WithHint(
      absl::InvalidArgumentError(fmt::format("{}: a plan's file is applied as it was reviewed", flag)),
      fmt::format("give {} to `hakobu grants plan`", flag));
}

absl::StatusOr<std::vector<DriftLine>> ReadDrift(GrantsSession& session) {
  HAKOBU_RETURN_IF_ERROR(session.ReadStates());
  HAKOBU_ASSIGN_OR_RETURN(const auto baselines, session.Baselines());
  HAKOBU_ASSIGN_OR_RETURN(const auto audit, session.Audit());
  return FindDrift(baselines, session.states(), audit);
}

absl::StatusOr<std::vector<DriftLine>> MatchingDrift(GrantsSession& session,
                                                     const GrantsArguments& arguments) {
  HAKOBU_ASSIGN_OR_RETURN(std::vector<DriftLine> lines, ReadDrift(session));
  const std::string member = ParseMember(arguments.member).member;
  const std::string role = CanonicalRole(arguments.role);
  std::erase_if(lines, [&](const DriftLine& line) {
    const bool same_member = line.entry.member == arguments.member || line.entry.member == member;
    return line.target != arguments.target || !same_member || (!role.empty() && line.entry.role != role);
  });
  if (lines.empty()) {
    return WithHint(absl::InvalidArgumentError(
                        fmt::format("expected a line of `hakobu grants drift`, found none for {} on {}",
                                    arguments.member, arguments.target)),
                    "name the dataset and the member as drift shows them");
  }
  return lines;
}

// The CSV line that alone states the grant.
absl::StatusOr<std::pair<std::string, int>> LineThatStates(const GrantsSession& session,
                                                           const DriftLine& drift) {
  const auto found = session.desired().grants.find(drift.target);
  if (found != session.desired().grants.end()) {
    for (const DesiredGrant& grant : found->second) {
      if (grant.member != drift.entry.member || grant.role != drift.entry.role) continue;
      const size_t colon = grant.source.rfind(':');
      const std::string file = grant.source.substr(0, colon);
      const auto& paths = session.csv_paths();
      if (std::find(paths.begin(), paths.end(), file) == paths.end()) {
        return absl::FailedPreconditionError(fmt::format("{} is a template: change it there", grant.source));
      }
      size_t others = 0;
      for (const auto& [target, grants] : session.desired().grants) {
        for (const DesiredGrant& other : grants) others += other.source == grant.source ? 1 : 0;
      }
      if (others > 1) {
        return absl::FailedPreconditionError(
            fmt::format("{} states {} grants: change the line by hand", grant.source, others));
      }
      return std::pair{file, std::atoi(grant.source.c_str() + colon + 1)};
    }
  }
  return absl::NotFoundError(
      fmt::format("no line states {}: there is nothing to change", drift.entry.Describe()));
}

// Who gained and who lost what on the target, as the apply's plan said.
std::string ChangesOf(const std::string& plan_json, const std::string& target) {
  const absl::StatusOr<GrantPlan> plan = PlanFromJson(plan_json);
  std::string text;
  if (!plan.ok()) return text;
  for (const TargetPlan& planned : plan->targets) {
    if (planned.target != target) continue;
    for (const GrantChange& change : planned.changes) {
      text += fmt::format("    {} {}  # {}\n", change.kind == ChangeKind::kAdd ? '+' : '-',
                          EscapeControl(change.entry.Describe()), EscapeControl(change.why));
    }
  }
  return text;
}

}  // namespace

absl::StatusOr<int> GrantsPlan(GrantsSession& session, const GlobalOptions& globals,
                               const GrantsArguments& arguments) {
  HAKOBU_RETURN_IF_ERROR(Prepare(session));
  HAKOBU_ASSIGN_OR_RETURN(const GrantPlan plan, session.MakePlan());
  if (!arguments.out.empty()) HAKOBU_RETURN_IF_ERROR(WriteWholeFile(arguments.out, PlanToJson(plan)));
  if (globals.json || arguments.format == "json")
    fmt::print("{}", PlanToJson(plan));
  else if (arguments.format == "markdown")
    fmt::print("{}", PlanToMarkdown(plan));
  else
    fmt::print("{}", PlanToText(plan));
  return plan.HasChanges() ? 2 : 0;
}

absl::StatusOr<int> GrantsApply(GrantsSession& session, const GrantsOptions& options,
                                const GrantsArguments& arguments) {
  GrantPlan plan;
  std::vector<TargetState> states;
  if (arguments.plan_file.empty()) {
    HAKOBU_RETURN_IF_ERROR(Prepare(session));
    HAKOBU_ASSIGN_OR_RETURN(plan, session.MakePlan());
    states = session.states();
    if (plan.HasChanges()) {
      fmt::print(stderr, "{}", PlanToText(plan));
      HAKOBU_RETURN_IF_ERROR(Confirm(
          arguments.yes, options.prune ? "Apply this, and prune what no line states?" : "Apply this?"));
    }
    return session.Apply(plan, states, arguments.reason);
  }
  absl::Status status;
  const std::string text = ReadWholeFile(arguments.plan_file, &status);
  HAKOBU_RETURN_IF_ERROR(status);
  auto read = PlanFromJson(text);
  if (!read.ok()) return Annotate(read.status(), "read " + arguments.plan_file);
  plan = *std::move(read);
  if (plan.project != session.config().destination.project) {
    return absl::InvalidArgumentError(fmt::format("the plan is for the project {}, this is {}", plan.project,
                                                  session.config().destination.project));
  }
  HAKOBU_RETURN_IF_ERROR(CheckPolicies(plan, options));
  HAKOBU_RETURN_IF_ERROR(session.LoadDesired());
  fmt::print(stderr, "{}", PlanToText(plan));  // what is applied, whatever else was shown for it
  if (plan.unmanaged == UnmanagedPolicy::kPrune && plan.Removals() > 0 && !options.prune) {
    HAKOBU_RETURN_IF_ERROR(Confirm(arguments.yes, "The plan prunes what no line states. Apply it?"));
  }
  std::vector<std::string> targets;
  for (const TargetPlan& target : plan.targets) targets.push_back(target.target);
  ReadResult result = ReadTargets(session.store(), targets, options.parallel, {});
  HAKOBU_RETURN_IF_ERROR(UnreadChanges(plan, result));
  HAKOBU_RETURN_IF_ERROR(CheckEtags(plan, result.states));
  HAKOBU_RETURN_IF_ERROR(Rederive(session.desired(), result.states, &plan));
  return session.Apply(plan, result.states, arguments.reason);
}

absl::StatusOr<int> GrantsImport(GrantsSession& session, const GrantsArguments& arguments) {
  // What people wrote into the file, reasons and globs, is not in BigQuery.
  if (!arguments.out.empty() && !arguments.force && std::filesystem::exists(arguments.out)) {
    return WithHint(absl::InvalidArgumentError(arguments.out + " is there already"),
                    "--force writes over it, --out names another");
  }
  HAKOBU_RETURN_IF_ERROR(session.ReadStates());
  HAKOBU_RETURN_IF_ERROR(Print(ImportCsv(session.states()), arguments.out));
  return kExitDone;
}

absl::StatusOr<int> GrantsDrift(GrantsSession& session, const GlobalOptions& globals) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<DriftLine> lines, ReadDrift(session));
  fmt::print("{}", globals.json ? DriftToJson(lines) : DriftToText(lines));
  TellDrift(session.config(), lines);
  return lines.empty() ? 0 : 2;
}

absl::StatusOr<int> GrantsAdopt(GrantsSession& session, const GrantsArguments& arguments) {
  HAKOBU_RETURN_IF_ERROR(session.LoadDesired());
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<DriftLine> lines, MatchingDrift(session, arguments));
  for (const DriftLine& line : lines) {
    std::string file = session.csv_paths().front();
    int number = 0;
    if (line.kind == ChangeKind::kRemove) {
      HAKOBU_ASSIGN_OR_RETURN(std::tie(file, number), LineThatStates(session, line));
    } else if (line.entry.kind != EntryKind::kGrant) {
      return absl::FailedPreconditionError(fmt::format("no line can state {}", line.entry.Describe()));
    }
    absl::Status status;
    std::string csv = ReadWholeFile(file, &status);
    HAKOBU_RETURN_IF_ERROR(status);
    if (line.kind == ChangeKind::kRemove) {
      csv = WithoutLine(csv, number);
    } else {
      if (!csv.empty() && csv.back() != '\n') csv += '\n';
      csv += CsvLine(line.target, line.entry, arguments.reason);
    }
    GrantProblems problems;
    ReadGrantLines(csv, file, session.settings(), absl::Now(), &problems);
    HAKOBU_RETURN_IF_ERROR(
        WithHint(problems.ToStatus(), "the file would not be readable any more: change it by hand"));
    HAKOBU_RETURN_IF_ERROR(WriteWholeFile(file, csv));
    fmt::print("{} {} in {}; the next apply records it\n",
               line.kind == ChangeKind::kAdd ? "stated" : "no longer stated", line.entry.Describe(), file);
  }
  return kExitDone;
}

absl::StatusOr<int> GrantsRevoke(GrantsSession& session, const GrantsArguments& arguments) {
  HAKOBU_RETURN_IF_ERROR(session.LoadDesired());
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<DriftLine> lines, MatchingDrift(session, arguments));
  HAKOBU_ASSIGN_OR_RETURN(GrantPlan plan, session.MakePlan());
  std::erase_if(plan.targets, [&](const TargetPlan& target) { return target.target != arguments.target; });
  for (TargetPlan& target : plan.targets) {
    target.changes.clear();
    for (const DriftLine& line : lines) {
      const ChangeKind kind = line.kind == ChangeKind::kAdd ? ChangeKind::kRemove : ChangeKind::kAdd;
      target.changes.push_back(
          {kind, line.entry, fmt::format("changed outside since apply {}", line.since_apply)});
    }
  }
  plan.removal = RemovalPolicy::kOnlyAdd;  // answers for no other grant than before
  fmt::print(stderr, "{}", PlanToText(plan));
  HAKOBU_RETURN_IF_ERROR(Confirm(arguments.yes, "Undo the change?"));
  return session.Apply(plan, session.states(), arguments.reason.empty() ? "revoke" : arguments.reason);
}

absl::StatusOr<int> GrantsWho(GrantsSession& session, const GlobalOptions& globals,
                              const GrantsArguments& arguments) {
  HAKOBU_RETURN_IF_ERROR(Prepare(session));
  GrantSources sources = session.Sources();
  HAKOBU_ASSIGN_OR_RETURN(sources.audit, session.Audit());
  std::vector<EffectiveLine> lines;
  bool found = false;
  for (const TargetState& state : session.states()) {
    if (state.target != arguments.target && state.target.rfind(arguments.target + ".", 0) != 0) continue;
    found = true;
    for (EffectiveLine& line : WhoMay(state, sources)) lines.push_back(std::move(line));
  }
  if (!found)
    return absl::InvalidArgumentError(
        fmt::format("expected a dataset that is looked at, found `{}`", arguments.target));
  fmt::print("{}", globals.json ? EffectiveToJson(lines) : EffectiveToText(lines));
  return kExitDone;
}

absl::StatusOr<int> GrantsWhat(GrantsSession& session, const GlobalOptions& globals,
                               const GrantsArguments& arguments) {
  const ParsedMember member = ParseMember(arguments.member);
  if (member.member.empty()) {
    return WithHint(
        absl::InvalidArgumentError(fmt::format("expected {}, found `{}`", member.expected, arguments.member)),
        member.hint);
  }
  HAKOBU_RETURN_IF_ERROR(Prepare(session));
  GrantSources sources = session.Sources();
  HAKOBU_ASSIGN_OR_RETURN(sources.audit, session.Audit());
  const auto lines = WhatMay(member.member, arguments.groups, session.states(), sources);
  fmt::print("{}", globals.json ? EffectiveToJson(lines) : EffectiveToText(lines));
  return kExitDone;
}

absl::StatusOr<int> GrantsHistory(GrantsSession& session, const GlobalOptions& globals,
                                  const GrantsArguments& arguments) {
  HAKOBU_ASSIGN_OR_RETURN(const auto applies,
                          session.log().Applies(session.config().destination.project, arguments.newest));
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const GrantApplyRecord& apply : applies) {
    HAKOBU_ASSIGN_OR_RETURN(const auto targets, session.log().Targets(apply.id));
    nlohmann::ordered_json item = {{"apply", apply.id},
                                   {"started", TimeText(apply.started)},
                                   {"finished", TimeText(apply.finished)},
                                   {"state", apply.state},
                                   {"caller", apply.caller},
                                   {"reason", apply.reason},
                                   {"commit", apply.commit},
                                   {"error", apply.error}};
    item["plan"] = nlohmann::ordered_json::parse(apply.plan_json, nullptr, false);
    item["targets"] = nlohmann::ordered_json::array();
    std::string changed;
    for (const GrantTargetRecord& target : targets) {
      if (target.outcome == "unchanged") continue;
      item["targets"].push_back({{"target", target.target},
                                 {"outcome", target.outcome},
                                 {"etag_before", target.etag_before},
                                 {"etag_after", target.etag_after},
                                 {"error", target.error}});
      changed += fmt::format("  {} {} {} -> {} {}\n", target.target, target.outcome, target.etag_before,
                             target.etag_after, EscapeControl(target.error));
      changed += ChangesOf(apply.plan_json, target.target);
    }
    list.push_back(std::move(item));
    if (globals.json) continue;
    fmt::print("apply {} {} {} by {}{}{}\n{}", apply.id, TimeText(apply.started), apply.state,
               apply.caller.empty() ? "an unknown caller" : apply.caller,
               apply.commit.empty() ? "" : " at commit " + apply.commit.substr(0, 12),
               apply.reason.empty() ? "" : ": " + EscapeControl(apply.reason), changed);
  }
  if (globals.json) fmt::print("{}\n", nlohmann::ordered_json{{"applies", list}}.dump(1));
  return kExitDone;
}

absl::StatusOr<int> GrantsExplain(GrantsSession& session) {
  HAKOBU_RETURN_IF_ERROR(session.LoadDesired());
  const DestinationConfig& destination = session.config().destination;
  fmt::print("{}", ExplainJobs(destination.project, destination.billing_project, session.desired()));
  return kExitDone;
}

absl::StatusOr<int> GrantsExport(GrantsSession& session, const GrantsArguments& arguments) {
  if (!arguments.terraform)
    return absl::InvalidArgumentError("expected --terraform, found no form to export to");
  HAKOBU_RETURN_IF_ERROR(Prepare(session));
  HAKOBU_RETURN_IF_ERROR(
      Print(TerraformJson(session.config().destination.project, session.desired(), session.states()),
            arguments.out));
  return kExitDone;
}

}  // namespace hakobu
