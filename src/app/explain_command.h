// `hakobu explain-run` and `hakobu forecast`: why a night was as it was, and when one will not be enough.
#pragma once

#include "app/command.h"

namespace hakobu {

void RegisterExplainCommands(CLI::App& app, CommandLine& line);

}  // namespace hakobu
