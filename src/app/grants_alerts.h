// Tells whoever `notify` names what changed outside of hakobu in who may see what.
#pragma once

#include <vector>

#include "config/config.h"
#include "grants/drift.h"
#include "notify/condition.h"

namespace hakobu {

// One cause for each dataset or table. Pure.
Observation ObserveDrift(const std::vector<DriftLine>& lines);
void TellDrift(const Config& config, const std::vector<DriftLine>& lines);

}  // namespace hakobu
