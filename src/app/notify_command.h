// `hakobu notify`: tries the channels, shows what was told, sends what waits.
#pragma once

#include "app/command.h"

namespace hakobu {

void RegisterNotifyCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
