// The source's half of the preflight.
#pragma once

#include <memory>
#include <vector>

#include "delivery/preflight/finding.h"
#include "delivery/table_work.h"
#include "source/source.h"

namespace hakobu {

// Connects and looks at the server: its version, settings, and what the account may do. Null when it cannot
// be reached, which is among the findings then.
std::unique_ptr<Connection> CheckServer(const Config& config, const Cancellation* cancel, Findings* findings);

// Every table that the configuration names: key, columns, types, names, filter. What cannot be mapped is left
// out of the result.
std::vector<TableWork> CheckTables(const Config& config, Connection* source, Findings* findings);

// SELECT and whatever else is missing or too much for reading `tables`.
void CheckAccount(const Config& config, const std::vector<TableWork>& tables, Connection* source,
                  Findings* findings);

}  // namespace hakobu
