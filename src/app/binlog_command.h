#pragma once

#include "app/command.h"

namespace hakobu {

// `hakobu binlog FILE…` and `hakobu binlog --live`: changes of a binary log as JSON lines. Files need no
// configuration.
void RegisterBinlogCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
