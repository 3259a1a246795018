#include "app/status_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "app/status.h"
#include "app/stream_status.h"
#include "base/status.h"
#include "config/load.h"

namespace hakobu {
namespace {

absl::StatusOr<int> ShowStatus(const GlobalOptions& options, size_t count) {
  HAKOBU_ASSIGN_OR_RETURN(const Config config,
                          LoadConfig(options.config_path, ProcessEnvironment(), SecretUse::kUnread));
  std::vector<RunStatus> runs;
  std::string stream = options.json ? "null" : "";
  // Looking must not make a ledger where there is none.
  if (std::filesystem::exists(config.ledger)) {
    HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger, Ledger::Open(config.ledger));
    HAKOBU_ASSIGN_OR_RETURN(runs, ReadStatus(ledger.get(), count));
    MarkInterrupted(ledger.get(), &runs);
    HAKOBU_ASSIGN_OR_RETURN(stream,
                            options.json ? StreamLedgerJson(config.ledger) : StreamLedgerText(config.ledger));
  }
  fmt::print("{}", options.json ? StatusJson(runs, stream) : StatusText(runs) + stream);
  return kExitDone;
}

}  // namespace

void RegisterStatusCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("status", "Show the last runs and their tables");
  auto count = std::make_shared<size_t>(10);
  command->add_option("-n,--runs", *count, "How many runs")->capture_default_str()->type_name("COUNT");
  command->footer(R"(Reads the ledger alone; neither side is asked.
Example:
  hakobu status --json | jq '.runs[0].tables[] | select(.state != "done")'
)");
  command->callback([&line, count] {
    line.action = [&line, count] {
      const absl::StatusOr<int> result = ShowStatus(line.options, *count);
      return result.ok() ? *result : ReportError(result.status());
    };
  });
}

}  // namespace hakobu
