#pragma once

#include "app/command.h"

namespace hakobu {

// `hakobu status`: the last runs, and the newest one's tables, from the ledger alone.
void RegisterStatusCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
