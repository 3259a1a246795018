#include "app/run_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "absl/time/clock.h"
#include "app/attempt.h"
#include "app/destination_side.h"
#include "app/interrupt.h"
#include "app/progress.h"
#include "app/run_conditions.h"
#include "app/run_metrics.h"
#include "app/run_report.h"
#include "app/tenants/tenant_status.h"
#include "base/status.h"
#include "config/load.h"
#include "delivery/tenants/run_tenants.h"

namespace hakobu {
namespace {

struct RunChoices {
  std::vector<std::string> tables;
  std::vector<std::string> tenants;
  bool fresh = false;
  bool quiet = false;
};

// Passes all on, and tells once when the promised hour comes before the end.
class PromiseWatch : public RunObserver {
 public:
  PromiseWatch(std::unique_ptr<RunObserver> next, const std::string& promise, Notifier* notifier,
               Clock* clock)
      : next_(std::move(next)), promise_(promise), notifier_(notifier), clock_(clock) {
    if (const auto hour = ParseDailyHour(promise)) at_ = hour->After(clock->Now());
  }
  void OnStart(const std::string& run_id, const RunPlan& plan) override { next_->OnStart(run_id, plan); }
  void OnProgress(const std::vector<TableProgress>& tables) override {
    next_->OnProgress(tables);
    if (notifier_ == nullptr || clock_->Now() < at_) return;
    at_ = absl::InfiniteFuture();
    std::vector<std::string> missing;
    for (const TableProgress& table : tables) {
      if (table.state != "done") missing.push_back(table.source);
    }
    if (!missing.empty()) notifier_->Note(ObserveMissedPromise(promise_, missing));
  }

 private:
  const std::unique_ptr<RunObserver> next_;
  const std::string promise_;
  Notifier* const notifier_;
  Clock* const clock_;
  absl::Time at_ = absl::InfiniteFuture();
};

absl::StatusOr<RunReport> Deliver(const GlobalOptions& globals, const RunChoices& choices,
                                  const Config& config, Notifier* notifier, const Cancellation& cancel) {
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<DestinationSide> destination, DestinationSide::Open(config));
  RunOptions options;
  options.tables = choices.tables;
  options.fresh = choices.fresh;
  options.addresses = destination->addresses();
  const bool bars = isatty(STDERR_FILENO) == 1 && !globals.verbose && globals.log_format.empty();
  std::unique_ptr<RunObserver> progress =
      choices.quiet ? std::make_unique<RunObserver>()
                    : MakeProgress(bars ? ProgressStyle::kBars : ProgressStyle::kLines, options.clock);
  // Its end takes the bars away before anything else is printed.
  PromiseWatch watch(std::move(progress), config.promise, notifier, options.clock);
  HAKOBU_ASSIGN_OR_RETURN(RunReport report, Run(config, options, &watch, cancel));
  MarkAccepted(config, &report);
  return report;
}

// All tenants' tables as those of one run, for who is told of what is wrong.
RunReport Together(const TenantsReport& report) {
  RunReport all;
  all.run_id = report.run_id;
  all.state = ExitCode(report) == kExitFailed ? "failed" : report.state;
  all.started = report.started;
  all.finished = report.finished;
  for (const TenantReport& tenant : report.tenants) {
    for (TableReport table : tenant.run.tables) {
      table.source = fmt::format("{}: {}", tenant.id, table.source);
      all.tables.push_back(std::move(table));
    }
  }
  return all;
}

// Each tenant as a table of its own: what parks it is told once, and an alert of it ends when it is well.
void AddTenants(const TenantsReport& report, RunReport* all) {
  for (const TenantReport& tenant : report.tenants) {
    TableReport& table = all->tables.emplace_back();
    table.source = tenant.id;
    table.state = tenant.parked ? "failed" : "done";
    table.error = tenant.reason;
  }
}

absl::StatusOr<TenantsReport> DeliverToTenants(const RunChoices& choices, const Config& config,
                                               const Cancellation& cancel) {
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<DestinationSide> destination, DestinationSide::Open(config));
  RunOptions options;
  options.tables = choices.tables;
  options.addresses = destination->addresses();
  return RunTenants(config, options, choices.tenants, cancel);
}

int RunTenantsAndTell(const GlobalOptions& globals, const RunChoices& choices, const Config& config,
                      const Cancellation& cancel, Attempt* attempt) {
  const absl::StatusOr<TenantsReport> report = DeliverToTenants(choices, config, cancel);
  if (!report.ok()) {
    const int code = ReportFailure(globals, report.status());
    return attempt->End(code, std::string(View(report.status().message())), ObserveNoRun(report.status()),
                        false);
  }
  fmt::print("{}", globals.json ? ReportToJson(*report) + "\n" : TenantsReportText(*report));
  std::fflush(stdout);
  const int code = ExitCode(*report);
  RunReport all = Together(*report);
  WriteRunMetrics(config, {.began = report->started, .ended = absl::Now(), .exit_code = code}, &all);
  const bool is_well = code == kExitDone || code == kExitDoneButLate;
  AddTenants(*report, &all);
  Observation seen;
  if (report->state != "cancelled") seen = ObserveRun(all, choices.tables.empty() && choices.tenants.empty());
  return attempt->End(code, "", std::move(seen), is_well);
}

int RunAndTell(const GlobalOptions& globals, const RunChoices& choices) {
  Cancellation cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel);
  const absl::StatusOr<Config> config =
      LoadConfig(globals.config_path, ProcessEnvironment(), SecretUse::kRead, TenantUse::kServed);
  if (config.ok()) SetUpLogFor(globals, *config);
  Attempt attempt("run", globals, config, &cancel);
  if (config.ok() && config->tenants.has_value())
    return RunTenantsAndTell(globals, choices, *config, cancel, &attempt);
  const absl::Time began = absl::Now();
  const absl::Status wanted =
      config.ok() && !choices.tenants.empty()
          ? absl::InvalidArgumentError(fmt::format("--tenants: {} has no `tenants`", config->path))
          : config.status();
  const absl::StatusOr<RunReport> report =
      wanted.ok() ? Deliver(globals, choices, *config, attempt.notifier(), cancel) : wanted;
  const int code = report.ok() ? ExitCode(*report) : ExitCodeFor(report.status());
  if (report.ok()) {
    fmt::print("{}", globals.json ? ReportToJson(*report) + "\n" : RunReportText(*report));
    std::fflush(stdout);
  } else {
    ReportFailure(globals, report.status());
  }
  if (attempt.config() != nullptr)
    WriteRunMetrics(*attempt.config(), {.began = began, .ended = absl::Now(), .exit_code = code},
                    report.ok() ? &*report : nullptr);
  Observation seen;
  if (report.ok()) {
    seen = ObserveRun(*report, choices.tables.empty());
  } else if (!absl::IsCancelled(report.status())) {
    seen = ObserveNoRun(report.status());
  }
  const bool is_well = report.ok() && (code == kExitDone || code == kExitDoneButLate);
  return attempt.End(code, report.ok() ? "" : std::string(View(report.status().message())), std::move(seen),
                     is_well);
}

}  // namespace

void RegisterRunCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("run", "Deliver tables; a run that was cut off is continued");
  auto choices = std::make_shared<RunChoices>();
  command->add_option("table", choices->tables, "Only these: table, database.table or a glob")
      ->type_name("TABLE");
  command
      ->add_option("--tenants", choices->tenants,
                   "With tenants: only these, by id or tier:NAME; may be given several times")
      ->type_name("TENANT")
      ->allow_extra_args(false);
  command->add_flag("--fresh", choices->fresh, "Begin anew, even if an interrupted run could be continued");
  command->add_flag("-q,--quiet", choices->quiet, "No progress, only the report");
  command->footer(
      R"(Ctrl-C stops cleanly: what is finished is kept, and the next run continues. Once more ends at once.
The report says what was delivered, what was quarantined, and what the reading cost the source.
Examples:
  hakobu run
  hakobu run members 'shop.res*' --json > report.json
  hakobu run --tenants tier:canary --tenants acme
)");
  command->callback(
      [&line, choices] { line.action = [&line, choices] { return RunAndTell(line.options, *choices); }; });
}

}  // namespace hakobu
