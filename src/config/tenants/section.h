// The keys of `tiers:` and `tenants:`.
#pragma once

#include "config/keys.h"

namespace hakobu {

Section TierSection();     // of a TierConfig
Section TenantsSection();  // of a TenantsConfig

}  // namespace hakobu
