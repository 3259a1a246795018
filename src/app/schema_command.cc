#include "app/schema_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "config/json_schema.h"

namespace hakobu {

void RegisterSchemaCommand(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("schema", "Print the JSON Schema of hakobu.yaml, for editors");
  command->footer(R"(Example:
  hakobu schema > hakobu.schema.json
and as the first line of hakobu.yaml:
  # yaml-language-server: $schema=./hakobu.schema.json
)");
  command->callback([&line] {
    line.action = [] {
      fmt::print("{}", ConfigJsonSchema());
      return kExitDone;
    };
  });
}

}  // namespace hakobu
