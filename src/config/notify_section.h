// The keys of `notify`, `metrics` and `accept`, and what has to fit between them.
#pragma once

#include "config/config.h"
#include "config/keys.h"
#include "config/problems.h"

namespace hakobu {

Section NotifySection();
Section MetricsSection();
Section AcceptSection();
void CheckNotify(const Config& config, ConfigProblems* problems);

}  // namespace hakobu
