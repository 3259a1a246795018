// A command that is given a text, and some time.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/cancel.h"

namespace hakobu {

// Runs `command` by /bin/sh in a process group of its own, with `input` on its standard input and `variables`
// added to the environment; its output goes to standard error. OK when it ends with 0 within `patience`, else
// it and what it started are killed.
absl::Status RunShellCommand(const std::string& command, const std::string& input,
                             const std::vector<std::pair<std::string, std::string>>& variables,
                             absl::Duration patience, const Cancellation& cancel);

}  // namespace hakobu
