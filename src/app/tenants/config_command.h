// `hakobu config`.
#pragma once

#include "app/command.h"

namespace hakobu {

void RegisterConfigCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
