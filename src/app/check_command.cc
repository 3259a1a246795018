#include "app/check_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/check.h"
#include "app/destination_side.h"
#include "app/interrupt.h"
#include "base/status.h"
#include "config/load.h"
#include "delivery/preflight/preflight.h"

namespace hakobu {
namespace {

absl::StatusOr<int> Check(const GlobalOptions& globals) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, LoadConfig(globals.config_path));
  SetUpLogFor(globals, config);
  Cancellation cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel);
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<DestinationSide> destination, DestinationSide::Open(config));
  const Findings findings = CheckEverything(config, destination->addresses(), cancel);
  fmt::print("{}", globals.json ? CheckJson(findings) : CheckText(findings));
  return CheckExitCode(findings);
}

}  // namespace

void RegisterCheckCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("check", "Look at both sides and every table; say all that is wrong");
  command->footer(
      R"(Reachable or not, what the account may do (too little, too much), the server's settings, every table's
key, columns, types and names, partitions and clusters, dataset and location. The calls that runs and streams will
make are tried on a scratch table in the staging dataset, which is removed; nothing else is written.
Warnings do not change the exit code.
Example:
  hakobu check --json | jq '.findings[] | select(.level == "problem")'
)");
  command->callback([&line] {
    line.action = [&line] {
      const absl::StatusOr<int> result = Check(line.options);
      return result.ok() ? *result : ReportFailure(line.options, result.status());
    };
  });
}

}  // namespace hakobu
