// tables.get of a table that is known to have been there.
#pragma once

#include "absl/status/statusor.h"
#include "destination/tables.h"

namespace hakobu {

// NotFound is believed after 8 s of it: DDL of somebody else, too, hides a table for a while.
absl::StatusOr<Resource> GetKnownTable(Rest& rest, const TableName& name);

}  // namespace hakobu
