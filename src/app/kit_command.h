// `hakobu kit`: what a platform needs to run a configuration.
#pragma once

#include "app/command.h"

namespace hakobu {

void RegisterKitCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
