// What `hakobu check` prints, and how it ends.
#pragma once

#include <string>

#include "delivery/preflight/finding.h"

namespace hakobu {

// 0 without problems (warnings do not count), 2 when all are of the configuration, 4 when all are refusals to
// lose data, else 1.
int CheckExitCode(const Findings& findings);
std::string CheckText(const Findings& findings);
std::string CheckJson(const Findings& findings);

}  // namespace hakobu
