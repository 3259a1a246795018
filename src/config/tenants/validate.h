// What no single key of `tiers`, `tenants` and a CSV of tenants can know.
#pragma once

#include "config/config.h"
#include "config/problems.h"

namespace hakobu {

// All problems of all tenants. The work grows with tenants and with entries of `tables`, not with their
// product.
void ValidateTenants(const Config& config, ConfigProblems* problems);

}  // namespace hakobu
