#pragma once

#include "app/command.h"

namespace hakobu {

// `hakobu probe`: how the service behaves where its pages leave it open.
void RegisterProbeCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
