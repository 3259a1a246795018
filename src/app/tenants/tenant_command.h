// `hakobu tenant`.
#pragma once

#include "app/command.h"

namespace hakobu {

void RegisterTenantCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
