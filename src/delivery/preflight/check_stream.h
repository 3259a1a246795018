// The preflight of tables that are followed in the binary log.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "config/config.h"
#include "delivery/preflight/finding.h"
#include "delivery/table_work.h"
#include "source/source.h"

namespace hakobu {

// Nothing when no table has mode: stream.
std::vector<TableWork> CheckStream(const Config& config, Connection* source, Findings* findings);

// Before a stream touches anything: PermissionDenied, with the statement that would grant it, when the
// account may not read the log.
absl::Status CheckMayReadLog(Connection* source);

}  // namespace hakobu
