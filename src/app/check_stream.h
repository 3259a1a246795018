// The preflight of tables that are followed in the binary log.
#pragma once

#include "app/check.h"
#include "source/source.h"

namespace hakobu {

// Nothing when no table has mode: stream.
void CheckStream(const Config& config, Connection* source, Findings* findings);

}  // namespace hakobu
