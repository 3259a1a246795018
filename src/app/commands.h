// The whole command line: global options and every command, as `hakobu --help` shows it.
#pragma once

#include "app/command.h"

namespace hakobu {

// `app` and `line` must outlive the parsing and line.action.
void BuildCommandLine(CLI::App& app, CommandLine& line);

}  // namespace hakobu
