// `hakobu manual`: prints a manual page; packages install them.
#pragma once

#include "app/command.h"

namespace hakobu {

void RegisterManualCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
