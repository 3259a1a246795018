#include "app/status_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "absl/time/clock.h"
#include "app/status.h"
#include "app/status_age.h"
#include "app/stream_status.h"
#include "app/tenants/tenant_status.h"
#include "base/status.h"
#include "config/load.h"
#include "config/value.h"

namespace hakobu {
namespace {

struct StatusChoices {
  size_t runs = 10;
  std::string max_age;
};

absl::StatusOr<std::optional<absl::Duration>> MaxAge(const std::string& text) {
  if (text.empty()) return std::optional<absl::Duration>();
  const std::optional<absl::Duration> age = ParseDurationText(text);
  if (!age || *age <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        fmt::format("--max-age: expected a duration with a unit, such as 26h or 90m, found '{}'", text));
  }
  return age;
}

absl::StatusOr<int> ShowStatus(const GlobalOptions& options, const StatusChoices& choices) {
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<absl::Duration> max_age, MaxAge(choices.max_age));
  HAKOBU_ASSIGN_OR_RETURN(const Config config, LoadConfig(options.config_path, ProcessEnvironment(),
                                                          SecretUse::kUnread, TenantUse::kServed));
  std::vector<RunStatus> runs;
  std::vector<OutageRecord> outages;
  std::vector<TenantRecord> tenants;
  std::string stream = options.json ? "null" : "";
  Troubles troubles;
  std::unique_ptr<Ledger> ledger;
  // Looking must not make a ledger where there is none.
  if (std::filesystem::exists(config.ledger)) {
    HAKOBU_ASSIGN_OR_RETURN(ledger, Ledger::Open(config.ledger));
    HAKOBU_ASSIGN_OR_RETURN(runs, ReadStatus(ledger.get(), choices.runs));
    MarkInterrupted(ledger.get(), &runs);
    HAKOBU_ASSIGN_OR_RETURN(outages, ledger->outages().All());
    HAKOBU_ASSIGN_OR_RETURN(troubles, ReadTroubles(ledger.get()));
    HAKOBU_ASSIGN_OR_RETURN(tenants, ledger->tenants().All());
    HAKOBU_ASSIGN_OR_RETURN(stream,
                            options.json ? StreamLedgerJson(config.ledger) : StreamLedgerText(config.ledger));
  }
  const absl::Time now = absl::Now();
  const std::string text = StatusText(runs) + stream + TenantStatusText(tenants) + OutageText(outages) +
                           TroublesText(troubles, now);
  const std::string tenants_json = TenantStatusJson(tenants);
  if (!max_age) {
    fmt::print("{}",
               options.json ? StatusJson(runs, stream, outages, nullptr, troubles, tenants_json) : text);
    return kExitDone;
  }
  std::vector<LateTable> late;
  if (config.tenants.has_value()) {
    late = LateTenants(config, tenants, *max_age, now);
  } else {
    HAKOBU_ASSIGN_OR_RETURN(late, FindLate(ledger.get(), config, *max_age, now));
  }
  if (options.json) {
    fmt::print("{}", StatusJson(runs, stream, outages, &late, troubles, tenants_json));
  } else {
    fmt::print("{}{}", text, LateText(late, *max_age, now));
  }
  return late.empty() ? kExitDone : kExitDoneButLate;
}

}  // namespace

void RegisterStatusCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("status", "Show the last runs and their tables");
  auto choices = std::make_shared<StatusChoices>();
  command->add_option("-n,--runs", choices->runs, "How many runs")->capture_default_str()->type_name("COUNT");
  command
      ->add_option("--max-age", choices->max_age,
                   "Also name the tables whose data in BigQuery is older, and exit 3 if there are any")
      ->type_name("DURATION");
  command->footer(R"(Reads the ledger alone; neither side is asked.
With --max-age every table that the configuration wants is judged: a nightly one is as old as the start of the last run
that delivered it, a streamed one as what was last known to be delivered whole; one that is stopped, in a gap or
was never delivered is late whatever its age. For monitoring: 0 is recent enough, 3 is late.
Examples:
  hakobu status --max-age 26h
  hakobu status --json | jq '.runs[0].tables[] | select(.state != "done")'
)");
  command->callback([&line, choices] {
    line.action = [&line, choices] {
      const absl::StatusOr<int> result = ShowStatus(line.options, *choices);
      return result.ok() ? *result : ReportFailure(line.options, result.status());
    };
  });
}

}  // namespace hakobu
