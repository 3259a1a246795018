#include "app/manual_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/manual.h"
#include "base/escape.h"

namespace hakobu {
namespace {

int PrintManual(const CLI::App& app, const std::string& name) {
  if (name.empty()) {
    fmt::print("{}", ManualPage(app, HAKOBU_VERSION));
    return kExitDone;
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() != name) continue;
    fmt::print("{}", CommandManualPage(app, *command, HAKOBU_VERSION));
    return kExitDone;
  }
  fmt::print(stderr, "hakobu: there is no command `{}`\nRun `hakobu --help` for the commands.\n",
             EscapeControl(name));
  return kExitUsage;
}

}  // namespace

void RegisterManualCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("manual", "Print the manual page of hakobu or of a command");
  auto name = std::make_shared<std::string>();
  command->add_option("command", *name, "The command; none: hakobu itself")->type_name("COMMAND");
  command->footer(R"(Examples:
  hakobu manual | man -l -
  hakobu manual run | man -l -
)");
  command->callback([&app, &line, name] { line.action = [&app, name] { return PrintManual(app, *name); }; });
}

}  // namespace hakobu
