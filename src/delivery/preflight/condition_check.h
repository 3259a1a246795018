// Whether the server takes a table's `where`.
#pragma once

#include "absl/status/status.h"
#include "delivery/table_work.h"
#include "source/source.h"

namespace hakobu {

// Asks for no row. InvalidArgument with what the server says of the condition; OK without one.
absl::Status CheckCondition(Connection* source, const TableWork& work);

}  // namespace hakobu
