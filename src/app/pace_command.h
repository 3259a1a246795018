// `hakobu throttle`, `hakobu pause`, `hakobu resume`: a person's word to a run, now and from then on.
#pragma once

#include "app/command.h"

namespace hakobu {

void RegisterPaceCommands(CLI::App& app, CommandLine& line);

}  // namespace hakobu
