// The keys of `defaults:`, which are also those of each entry of `tables:`.
#pragma once

#include "config/keys.h"

namespace hakobu {

Section TableOptionsSection();  // its object is a TableOptions

}  // namespace hakobu
