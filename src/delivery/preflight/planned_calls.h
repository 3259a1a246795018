// The calls that a configuration's runs and streams will make, tried where they will be made.
#pragma once

#include <vector>

#include "config/config.h"
#include "delivery/sides.h"
#include "destination/trial.h"

namespace hakobu {

enum class StagingDataset : uint8_t { kIsThere, kIsMissing };

// Nightly calls in the staging dataset (not when it is missing: the first run makes it), a stream's in the
// target dataset, which exists; both at once where they are one.
std::vector<TrialStep> TryPlannedCalls(const Config& config, StagingDataset staging,
                                       Destination* destination);

}  // namespace hakobu
