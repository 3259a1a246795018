// `hakobu verify` and `hakobu repair`: streamed tables compared with their source, and made equal to it.
#pragma once

#include "app/command.h"

namespace hakobu {

void RegisterVerifyCommand(CLI::App& app, CommandLine& line);
void RegisterRepairCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
