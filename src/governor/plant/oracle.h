// Who knows the future: the earliest arrival that any plan could have, without the floor being crossed.
#pragma once

#include <vector>

#include "governor/plan.h"
#include "governor/plant/night.h"

namespace hakobu::plant {

// Seconds from the start; kNever: not before `until`. Reading as early as the floor's future allows is the
// best there is: a credit that is kept may overflow, one that is spent has done its work.
double OracleArrival(const Night& night);

// The levels of the bucket, each second, if nothing of ours is read.
std::vector<double> LevelsWithoutUs(const Night& night);

}  // namespace hakobu::plant
