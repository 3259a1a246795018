#include "app/plan_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/destination_side.h"
#include "app/interrupt.h"
#include "app/plan_report.h"
#include "app/plan_stream.h"
#include "base/status.h"
#include "config/load.h"

namespace hakobu {
namespace {

// A run would deliver the others; whoever plans wants to hear of it before.
int PlanExitCode(const RunPlan& plan) {
  if (plan.troubles.empty()) return kExitDone;
  const bool refused = std::any_of(plan.troubles.begin(), plan.troubles.end(),
                                   [](const TableTrouble& trouble) { return trouble.refused; });
  return refused ? kExitWouldLoseData : kExitUsage;
}

absl::StatusOr<int> ShowPlan(const GlobalOptions& globals, const std::vector<std::string>& tables) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, LoadConfig(globals.config_path));
  SetUpLogFor(globals, config);
  Cancellation cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel);
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<DestinationSide> destination, DestinationSide::Open(config));
  RunOptions options;
  options.tables = tables;
  // Looking must not make a ledger where there is none.
  if (!std::filesystem::exists(config.ledger)) options.ledger_path = ":memory:";
  options.patience = absl::Seconds(10);  // somebody is waiting
  options.addresses = destination->addresses();
  std::string stream;
  if (tables.empty() && HasStreamTables(config)) {
    HAKOBU_ASSIGN_OR_RETURN(stream, StreamPlan(config, destination->addresses(), globals.json, cancel));
    const bool all = std::all_of(config.tables.begin(), config.tables.end(), [](const TableRule& rule) {
      return rule.options.mode == TableMode::kStream;
    });
    if (all) {
      fmt::print("{}\n", globals.json ? "{\"tables\":[],\"stream\":" + stream + "}" : stream);
      return kExitDone;
    }
  }
  HAKOBU_ASSIGN_OR_RETURN(const RunPlan plan, PlanRun(config, options, cancel));
  const int code = PlanExitCode(plan);
  if (!globals.json) {
    fmt::print("{}{}", PlanText(plan, config.prices), stream);
    return code;
  }
  if (stream.empty()) {
    fmt::print("{}", PlanJson(plan, config.prices));
    return code;
  }
  nlohmann::ordered_json whole = nlohmann::ordered_json::parse(PlanJson(plan, config.prices));
  whole["stream"] = nlohmann::ordered_json::parse(stream);
  fmt::print("{}\n", whole.dump(2));
  return code;
}

}  // namespace

void RegisterPlanCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("plan", "Say what a run would do and cost; touch nothing");
  auto tables = std::make_shared<std::vector<std::string>>();
  command->add_option("table", *tables, "Only these: table, database.table or a glob")->type_name("TABLE");
  command->footer(
      R"(Tables, modes, chunks, what has changed in their columns, rows and bytes, and what BigQuery would
charge by the prices in `prices:` of the configuration.
Examples:
  hakobu plan
  hakobu plan 'shop.res*' --json | jq '.tables[].schema_changes'
)");
  command->callback([&line, tables] {
    line.action = [&line, tables] {
      const absl::StatusOr<int> result = ShowPlan(line.options, *tables);
      return result.ok() ? *result : ReportFailure(line.options, result.status());
    };
  });
}

}  // namespace hakobu
