#include "app/grants_session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/escape.h"
#include "base/status.h"
#include "config/load.h"
#include "delivery/sides.h"
#include "destination/jobs.h"
#include "grants/principal.h"

namespace hakobu {
namespace {

namespace fs = std::filesystem;

std::string FirstLine(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// A worktree's `.git` is a file that names its folder in the repository, whose `commondir` names where
// branches are.
fs::path WorktreeFolder(const fs::path& file) {
  const std::string line = FirstLine(file);
  return line.rfind("gitdir: ", 0) == 0 ? file.parent_path() / line.substr(8) : fs::path();
}
fs::path SharedFolder(const fs::path& git) {
  const std::string shared = FirstLine(git / "commondir");
  return shared.empty() ? git : git / shared;
}

// The commit that is checked out where `path` lies; empty when that is no git repository.
std::string GitCommit(const std::string& path) {
  std::error_code error;
  for (fs::path folder = fs::absolute(path, error).parent_path(); !folder.empty();
       folder = folder.parent_path()) {
    fs::path git = folder / ".git";
    if (fs::is_regular_file(git, error)) git = WorktreeFolder(git);
    if (fs::is_directory(git, error)) {
      const std::string head = FirstLine(git / "HEAD");
      if (head.rfind("ref: ", 0) != 0) return head;
      const fs::path shared = SharedFolder(git);
      const std::string name = head.substr(5), commit = FirstLine(shared / name);
      if (!commit.empty()) return commit;
      std::ifstream packed(shared / "packed-refs");
      for (std::string line; std::getline(packed, line);) {
        if (line.size() > 41 && line.substr(41) == name) return line.substr(0, 40);
      }
      return {};
    }
    if (folder == folder.parent_path()) break;
  }
  return {};
}

// "service account a@b.iam.gserviceaccount.com" -> "serviceAccount:a@b…"; empty when it names nobody.
std::string CallerOf(const std::string& description) {
  std::istringstream words(description);
  for (std::string word; words >> word;) {
    if (word.find('@') == std::string::npos) continue;
    const bool robot = word.find(".gserviceaccount.com") != std::string::npos;
    return ParseMember((robot ? "serviceAccount:" : "user:") + word).member;
  }
  return {};
}

absl::StatusOr<std::shared_ptr<Credentials>> OpenGrantCredentials(const DestinationConfig& destination,
                                                                  bool local, const Cancellation* cancel) {
  // The variable Terraform's provider reads too.
  if (const char* token = std::getenv("GOOGLE_OAUTH_ACCESS_TOKEN"); token != nullptr && *token != 0) {
    return FixedToken(token);
  }
  return OpenDestinationCredentials(destination, local, Clock::Real(), cancel);
}

// Whom BigQuery takes the caller for: a dry run costs nothing and names who asked. Empty when it may not run
// jobs, or nobody is asked who they are.
std::string CallerBy(Rest& rest, const std::string& billing_project) {
  QuerySpec query;
  query.project = billing_project;
  query.sql = "SELECT 1";
  const absl::StatusOr<Job> job = DryRunQuery(rest, query);
  if (!job.ok()) return {};
  const nlohmann::json resource = nlohmann::json::parse(job->json, nullptr, /*allow_exceptions=*/false);
  const std::string email = resource.is_object() ? resource.value("user_email", "") : "";
  return CallerOf(email);
}

std::string SlimPlan(const GrantPlan& plan) {
  GrantPlan slim = plan;
  std::erase_if(slim.targets, [](const TargetPlan& target) { return target.changes.empty(); });
  for (TargetPlan& target : slim.targets) target.stated.clear();
  return PlanToJson(slim);
}

std::string ResultLine(const TargetResult& result) {
  std::string text = fmt::format("{}: {}", result.target, TargetOutcomeName(result.outcome));
  if (result.outcome == TargetOutcome::kApplied)
    text += fmt::format(", {} added, {} removed", result.added, result.removed);
  if (result.conflicts > 0) text += fmt::format(", planned again {} times", result.conflicts);
  if (!result.error.empty()) text += ": " + EscapeControl(result.error);
  for (const std::string& refused : result.refused) text += "\n  ! " + EscapeControl(refused);
  return text + "\n";
}

}  // namespace

std::string ReadWholeFile(const std::string& path, absl::Status* status) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file)
    *status =
        absl::InvalidArgumentError(fmt::format("read {}: there is no such file, or it cannot be read", path));
  return text.str();
}

absl::Status WriteWholeFile(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  {
    std::ofstream file(part, std::ios::binary);
    file << text;
    file.close();
    if (!file) return absl::UnavailableError(fmt::format("write {}: not written", path));
  }
  std::error_code error;
  fs::rename(part, path, error);
  return error ? absl::UnavailableError(fmt::format("write {}: {}", path, error.message()))
               : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<GrantsSession>> GrantsSession::Open(const GlobalOptions& globals,
                                                                   const GrantsOptions& options,
                                                                   Cancellation* cancel) {
  auto session = std::unique_ptr<GrantsSession>(new GrantsSession(globals, options, cancel));
  if (options.project.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(session->config_, LoadConfig(globals.config_path));
    SetUpLogFor(globals, session->config_);
  } else {
    session->config_.destination.project = options.project;
    session->config_.destination.billing_project = options.project;
  }
  if (!options.endpoint.empty()) session->config_.destination.rest_address = options.endpoint;
  if (!options.ledger.empty()) session->config_.ledger = options.ledger;
  HAKOBU_RETURN_IF_ERROR(session->LoadSettings());
  HAKOBU_RETURN_IF_ERROR(session->OpenBigquery());
  const fs::path folder = fs::path(session->config_.ledger).parent_path();
  std::error_code ignored;
  if (!folder.empty()) fs::create_directories(folder, ignored);
  HAKOBU_ASSIGN_OR_RETURN(session->ledger_, Ledger::Open(session->config_.ledger));
  HAKOBU_ASSIGN_OR_RETURN(session->datasets_, session->store_->Datasets());
  return session;
}

absl::Status GrantsSession::OpenBigquery() {
  const DestinationConfig& destination = config_.destination;
  HAKOBU_ASSIGN_OR_RETURN(side_, DestinationSide::Open(config_));
  RestOptions rest;
  HAKOBU_ASSIGN_OR_RETURN(rest.endpoint, EndpointOf(destination, side_->addresses()));
  rest.credentials = FixedToken(side_->addresses().token);
  if (side_->addresses().token.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(rest.credentials,
                            OpenGrantCredentials(destination, destination.local(), cancel_));
  }
  rest.retry.max_tries = 1;  // the store tries again, at its own pace
  rest.context.cancellation = cancel_;
  rest_ = std::make_unique<Rest>(std::move(rest));
  HAKOBU_RETURN_IF_ERROR(FindCaller());
  pacer_ = std::make_unique<CallPacer>(CallPacer::Limits{}, Clock::Real());
  BigqueryStoreOptions store;
  store.rest = rest_.get();
  store.project = destination.project;
  store.pacer = pacer_.get();
  store.cancellation = cancel_;
  store_ = OpenBigqueryStore(store);
  return absl::OkStatus();
}

// Who the credentials say it is, for a guard must not rest on what somebody typed; --caller where they do
// not.
absl::Status GrantsSession::FindCaller() {
  const std::shared_ptr<Credentials> credentials = rest_->options().credentials;
  if (credentials != NoCredentials()) caller_ = CallerBy(*rest_, config_.destination.billing_project);
  if (caller_.empty()) caller_ = CallerOf(credentials->Describe());
  if (options_.caller.empty()) return absl::OkStatus();
  const ParsedMember given = ParseMember(options_.caller);
  if (given.member.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("--caller: expected {}, found {}", given.expected, options_.caller));
  }
  if (!caller_.empty() && caller_ != given.member) {
    return WithHint(
        absl::InvalidArgumentError(fmt::format("--caller: expected {}, whose credentials these are, found {}",
                                               caller_, given.member)),
        "leave --caller out");
  }
  caller_ = given.member;
  return absl::OkStatus();
}

absl::Status GrantsSession::LoadSettings() {
  absl::Status status;
  if (fs::exists(options_.settings)) {
    const std::string text = ReadWholeFile(options_.settings, &status);
    HAKOBU_RETURN_IF_ERROR(status);
    settings_ = ParseGrantSettings(text, options_.settings, &problems_);
  } else if (options_.settings != "grants.yaml") {
    return absl::InvalidArgumentError(fmt::format("read {}: there is no such file", options_.settings));
  }
  if (options_.max_removals) settings_.guards.max_removals = *options_.max_removals;
  if (options_.max_removed_share) settings_.guards.max_removed_share = *options_.max_removed_share;
  csv_paths_ = options_.files;
  if (csv_paths_.empty()) {
    const fs::path folder = fs::path(options_.settings).parent_path();
    for (const std::string& file : settings_.files) csv_paths_.push_back((folder / file).string());
  }
  if (!csv_paths_.empty()) commit_ = GitCommit(csv_paths_.front());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<GrantLine>> GrantsSession::ReadLines(const std::vector<std::string>& paths,
                                                                GrantProblems* problems) const {
  std::vector<GrantLine> lines;
  for (const std::string& path : paths) {
    absl::Status status;
    const std::string text = ReadWholeFile(path, &status);
    HAKOBU_RETURN_IF_ERROR(WithHint(status, "`hakobu grants import --out grants.csv` writes a first one"));
    GrantProblems own;
    const std::vector<GrantLine> more = ReadGrantLines(text, path, settings_, absl::Now(), &own);
    lines.insert(lines.end(), more.begin(), more.end());
    for (const GrantProblem& problem : own.list()) {
      if (problem.severity == GrantSeverity::kError)
        problems->Error(problem.place, problem.message, problem.hint);
      else
        problems->Warning(problem.place, problem.message, problem.hint);
    }
  }
  return lines;
}

absl::Status GrantsSession::LoadDesired() {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<GrantLine> lines, ReadLines(csv_paths_, &problems_));
  desired_ = ResolveGrants(lines, settings_, datasets_, &problems_);
  return problems_.ToStatus();
}

absl::Status GrantsSession::LoadManaged() {
  HAKOBU_ASSIGN_OR_RETURN(applied_, ledger_->grants().Managed(config_.destination.project));
  managed_.clear();
  if (!options_.was.empty()) {
    GrantProblems ignored;  // what was wrong then is no concern now
    HAKOBU_ASSIGN_OR_RETURN(const std::vector<GrantLine> lines, ReadLines({options_.was}, &ignored));
    const DesiredState before = ResolveGrants(lines, settings_, datasets_, &ignored);
    for (const auto& [target, grants] : before.grants) {
      for (const DesiredGrant& grant : grants)
        managed_[target][GrantKey(grant.member, grant.role, "")] = grant.source;
    }
  }
  for (const auto& [target, keys] : applied_) {
    for (const auto& [key, id] : keys) managed_[target][key] = fmt::format("apply {}", id);
  }
  return absl::OkStatus();
}

absl::Status GrantsSession::ReadStates() {
  HAKOBU_RETURN_IF_ERROR(LoadManaged());
  std::set<std::string> targets, only_managed;
  for (const std::string& dataset : datasets_) {
    if (MatchesAny(settings_.datasets, dataset)) targets.insert(dataset);
  }
  for (const auto& [target, grants] : desired_.grants) targets.insert(target);
  for (const auto& [target, grants] : desired_.expired) targets.insert(target);
  for (const auto& [target, keys] : managed_) {
    if (target.find('.') != std::string::npos && targets.insert(target).second) only_managed.insert(target);
  }
  const bool show = isatty(STDERR_FILENO) != 0;
  const std::vector<std::string> list(targets.begin(), targets.end());
  ReadResult result = ReadTargets(*store_, list, options_.parallel, [&](size_t done) {
    if (show && (done % 50 == 0 || done == list.size()))
      fmt::print(stderr, "\rread {} of {}{}", done, list.size(), done == list.size() ? "\n" : "");
  });
  std::string failures;
  absl::StatusCode code = absl::StatusCode::kUnavailable;
  for (const auto& [target, status] : result.failed) {
    if (absl::IsNotFound(status) && only_managed.contains(target)) continue;
    failures += (failures.empty() ? "" : "\n") + std::string(View(status.message()));
    code = status.code() == absl::StatusCode::kInvalidArgument ? absl::StatusCode::kUnknown : status.code();
  }
  if (!failures.empty()) return absl::Status(code, failures);
  states_ = std::move(result.states);
  return absl::OkStatus();
}

absl::StatusOr<GrantPlan> GrantsSession::MakePlan() {
  GrantPlan plan;
  plan.project = config_.destination.project;
  plan.caller = caller_;
  plan.commit = commit_;
  plan.created = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone());
  plan.removal = options_.only_add ? RemovalPolicy::kOnlyAdd : RemovalPolicy::kRemove;
  plan.unmanaged = options_.prune ? UnmanagedPolicy::kPrune : UnmanagedPolicy::kReport;
  plan.warnings = problems_.ToString();
  const PlanOptions options{plan.removal, plan.unmanaged, caller_, absl::Now()};
  for (const TargetState& state : states_) {
    plan.targets.push_back(PlanTarget(state, desired_.grants[state.target], desired_.expired[state.target],
                                      managed_[state.target], options));
  }
  return plan;
}

absl::StatusOr<int> GrantsSession::Apply(const GrantPlan& plan, const std::vector<TargetState>& states,
                                         const std::string& reason) {
  HAKOBU_RETURN_IF_ERROR(CheckRemovals(plan, settings_.guards));
  HAKOBU_ASSIGN_OR_RETURN(applied_, ledger_->grants().Managed(plan.project));
  GrantApplyRecord record;
  record.started = absl::Now();
  record.project = plan.project;
  record.caller = caller_.empty() ? plan.caller : caller_;
  record.reason = reason;
  record.commit = plan.commit;
  record.plan_json = SlimPlan(plan);
  std::map<std::string, std::vector<std::string>> stated;
  for (const TargetPlan& target : plan.targets) stated[target.target] = target.stated;
  HAKOBU_ASSIGN_OR_RETURN(const int64_t id, ledger_->grants().StartApply(record, stated));
  size_t counts[4] = {};
  ApplyOptions options;
  options.caller = record.caller;
  options.now = absl::Now();
  options.parallel = options_.parallel;
  options.cancellation = cancel_;
  options.on_result = [&](const TargetResult& result) -> absl::Status {
    ++counts[static_cast<size_t>(result.outcome)];
    if (result.outcome != TargetOutcome::kUnchanged && !globals_.json) fmt::print("{}", ResultLine(result));
    std::vector<std::string> released;
    const bool done =
        result.outcome == TargetOutcome::kApplied || result.outcome == TargetOutcome::kUnchanged;
    if (done && plan.removal == RemovalPolicy::kRemove) {
      const std::vector<std::string>& kept = stated[result.target];
      for (const auto& [key, made] : applied_[result.target]) {
        if (std::find(kept.begin(), kept.end(), key) == kept.end()) released.push_back(key);
      }
    }
    return ledger_->grants().RecordTarget(
        {id, result.target, std::string(TargetOutcomeName(result.outcome)), result.etag_before,
         result.etag_after, EntriesToJson(result.entries), result.error},
        released);
  };
  const auto results = ApplyPlan(plan, states, *store_, options);
  const size_t failed = counts[static_cast<size_t>(TargetOutcome::kFailed)];
  const size_t refused = counts[static_cast<size_t>(TargetOutcome::kRefused)];
  const std::string error = !results.ok() ? std::string(View(results.status().message()))
                            : failed > 0  ? fmt::format("{} of {} failed", failed, plan.targets.size())
                                          : "";
  HAKOBU_RETURN_IF_ERROR(
      ledger_->grants().FinishApply(id, absl::Now(), error.empty() ? "done" : "failed", error));
  HAKOBU_RETURN_IF_ERROR(results.status());
  if (globals_.json) {
    fmt::print(
        "{{\"apply\":{},\"applied\":{},\"unchanged\":{},\"refused\":{},\"failed\":{},\"reads\":{},\"writes\":"
        "{}}}\n",
        id, counts[1], counts[0], refused, failed, pacer_->reads(), pacer_->writes());
  } else {
    fmt::print("apply {}: {} applied, {} unchanged, {} refused, {} failed; {}\n", id, counts[1], counts[0],
               refused, failed, CallsText());
  }
  if (failed > 0) return kExitFailed;
  return refused > 0 ? kExitWouldLoseData : kExitDone;
}

absl::StatusOr<std::map<std::string, Baseline>> GrantsSession::Baselines() {
  HAKOBU_ASSIGN_OR_RETURN(const auto records, ledger_->grants().Baselines(config_.destination.project));
  HAKOBU_ASSIGN_OR_RETURN(const auto applies,
                          ledger_->grants().Applies(config_.destination.project, 1000000));
  std::map<int64_t, absl::Time> times;
  for (const GrantApplyRecord& apply : applies) times[apply.id] = apply.started;
  std::map<std::string, Baseline> baselines;
  for (const auto& [target, record] : records) {
    HAKOBU_ASSIGN_OR_RETURN(std::vector<AccessEntry> entries, EntriesFromJson(record.entries_json));
    baselines[target] = {record.apply_id, times[record.apply_id], std::move(entries)};
  }
  return baselines;
}

absl::StatusOr<std::vector<AuditChange>> GrantsSession::Audit() const {
  if (options_.audit_log.empty()) return std::vector<AuditChange>{};
  absl::Status status;
  const std::string text = ReadWholeFile(options_.audit_log, &status);
  HAKOBU_RETURN_IF_ERROR(status);
  auto changes = ParseAuditLog(text);
  return changes.ok() ? changes : Annotate(changes.status(), options_.audit_log);
}

GrantSources GrantsSession::Sources() const {
  GrantSources sources;
  sources.desired = desired_;
  sources.managed = applied_;
  return sources;
}

std::string GrantsSession::CallsText() const {
  return fmt::format("{} reads, {} writes", pacer_->reads(), pacer_->writes());
}

}  // namespace hakobu
