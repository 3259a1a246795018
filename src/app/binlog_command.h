#pragma once

#include "app/command.h"

namespace hakobu {

// `hakobu binlog FILE…`: the changes in binary log files, as JSON lines. Needs no configuration.
void RegisterBinlogCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
