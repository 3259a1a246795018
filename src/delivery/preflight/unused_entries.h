// Names of columns in the configuration that mean none: mostly misspelt, and then nothing is hidden. Pure.
#pragma once

#include <vector>

#include "config/config.h"
#include "delivery/preflight/finding.h"
#include "delivery/table_work.h"

namespace hakobu {

// `tables`: all that the configuration matches, of either cadence. A warning for each name in `include`,
// `exclude` and `columns`, of `defaults` or of an entry, that no column of the tables it is about has; a note
// for a pattern, which may be there for columns to come.
void CheckUnusedEntries(const Config& config, const std::vector<const TableWork*>& tables,
                        Findings* findings);

}  // namespace hakobu
