#pragma once

#include "app/command.h"

namespace hakobu {

// `hakobu completion bash|zsh`. Register it last: it completes what `app` holds when it runs.
void RegisterCompletionCommand(CLI::App& app, CommandLine& line);

}  // namespace hakobu
