#pragma once

#include "app/command.h"

namespace hakobu {

// `hakobu run`: delivers.
void RegisterRunCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
