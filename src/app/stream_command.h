// `hakobu stream`: keeps tables current from the binary log.
#pragma once

#include "app/command.h"

namespace hakobu {

void RegisterStreamCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
