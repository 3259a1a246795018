#pragma once

#include "app/command.h"

namespace hakobu {

// `hakobu schema`: the JSON Schema of hakobu.yaml, for editors.
void RegisterSchemaCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
