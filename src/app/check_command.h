#pragma once

#include "app/command.h"

namespace hakobu {

// `hakobu check`: the preflight of both sides.
void RegisterCheckCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
