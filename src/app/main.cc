#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/command.h"
#include "app/commands.h"
#include "base/escape.h"
#include "config/value.h"

namespace {

// CLI11's own exit codes are its own; the outside sees only DESIGN's.
int ReportUsage(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  std::string name = command->get_name();
  if (command != &app) name = "hakobu " + name;
  // CLI11 only says that a command is missing where one was misspelt.
  const std::vector<std::string> rest = app.remaining(/*recurse=*/true);
  if (!command->get_require_subcommand_min() || rest.empty() || rest.front().starts_with('-')) {
    fmt::print(stderr, "hakobu: {}\n", hakobu::EscapeControlKeepLines(error.what()));
  } else {
    std::vector<std::string> names;
    for (const CLI::App* each : command->get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(each->get_name());
    const std::string hint = hakobu::DidYouMean(rest.front(), names);
    fmt::print(stderr, "hakobu: there is no command `{}`{}\n", hakobu::EscapeControl(rest.front()),
               hint.empty() ? "" : "; " + hint);
  }
  fmt::print(stderr, "Run `{} --help` for what it takes.\n", name);
  return hakobu::kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  umask(0077);  // ledger, spool, warehouse, plans and reports are the user's alone
  hakobu::CommandLine line;
  CLI::App app("hakobu delivers MySQL tables to BigQuery.", "hakobu");
  hakobu::BuildCommandLine(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ReportUsage(app, error);
  }
  hakobu::SetUpLogFor(line.options);
  return line.action();
}
