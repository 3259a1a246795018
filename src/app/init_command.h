#pragma once

#include "app/command.h"

namespace hakobu {

// `hakobu init`: looks at a source and writes a commented hakobu.yaml.
void RegisterInitCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
