// The keys of `source.storage`, `source.cloudwatch` and `source.budget`, and what has to fit between them.
#pragma once

#include "config/config.h"
#include "config/keys.h"
#include "config/problems.h"

namespace hakobu {

Section StorageSection();
Section CloudWatchSection();
Section BudgetSection();
void CheckBudget(const Config& config, ConfigProblems* problems);

}  // namespace hakobu
