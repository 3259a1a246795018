#pragma once

#include "app/command.h"

namespace hakobu {

// `hakobu grants …`: permissions as code.
void RegisterGrantsCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
