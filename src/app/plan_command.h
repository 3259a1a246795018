#pragma once

#include "app/command.h"

namespace hakobu {

// `hakobu plan`: what a run would do; touches nothing.
void RegisterPlanCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
