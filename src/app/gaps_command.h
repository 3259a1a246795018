// `hakobu gaps`: what may be missing, as statements that a customer can be sent.
#pragma once

#include "app/command.h"

namespace hakobu {

void RegisterGapsCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
