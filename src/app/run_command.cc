#include "app/run_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/destination_side.h"
#include "app/interrupt.h"
#include "app/progress.h"
#include "app/run_report.h"
#include "base/status.h"
#include "config/load.h"

namespace hakobu {
namespace {

struct RunChoices {
  std::vector<std::string> tables;
  bool fresh = false;
  bool quiet = false;
};

absl::StatusOr<int> Deliver(const GlobalOptions& globals, const RunChoices& choices) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config, LoadConfig(globals.config_path));
  SetUpLogFor(globals, config);
  Cancellation cancel;
  const std::unique_ptr<InterruptGuard> guard = InterruptGuard::Watch(&cancel);
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<DestinationSide> destination, DestinationSide::Open(config));
  RunOptions options;
  options.tables = choices.tables;
  options.fresh = choices.fresh;
  options.addresses = destination->addresses();
  const bool bars = isatty(STDERR_FILENO) == 1 && !globals.verbose && globals.log_format.empty();
  std::unique_ptr<RunObserver> progress =
      choices.quiet ? std::make_unique<RunObserver>()
                    : MakeProgress(bars ? ProgressStyle::kBars : ProgressStyle::kLines, options.clock);
  const absl::StatusOr<RunReport> report = Run(config, options, progress.get(), cancel);
  progress.reset();  // takes the bars away before anything else is printed
  HAKOBU_RETURN_IF_ERROR(report.status());
  fmt::print("{}", globals.json ? ReportToJson(*report) + "\n" : RunReportText(*report));
  return ExitCode(*report);
}

}  // namespace

void RegisterRunCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("run", "Deliver tables; a run that was cut off is continued");
  auto choices = std::make_shared<RunChoices>();
  command->add_option("table", choices->tables, "Only these: table, database.table or a glob")
      ->type_name("TABLE");
  command->add_flag("--fresh", choices->fresh, "Begin anew, even if an interrupted run could be continued");
  command->add_flag("-q,--quiet", choices->quiet, "No progress, only the report");
  command->footer(
      R"(Ctrl-C stops cleanly: what is finished is kept, and the next run continues. Once more ends at once.
The report says what was delivered, what was quarantined, and what the reading cost the source.
Examples:
  hakobu run
  hakobu run members 'shop.res*' --json > report.json
)");
  command->callback([&line, choices] {
    line.action = [&line, choices] {
      const absl::StatusOr<int> result = Deliver(line.options, *choices);
      return result.ok() ? *result : ReportFailure(line.options, result.status());
    };
  });
}

}  // namespace hakobu
