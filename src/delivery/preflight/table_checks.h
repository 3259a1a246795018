// What BigQuery refuses of a table as it would be delivered, asked before anything is sent. Pure. MapTable
// and MakeLaneSchema call these, so that `check`, `plan`, `run`, `stream` and tables that appear while a
// stream runs all pass them.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "delivery/table_work.h"

namespace hakobu {

// InvalidArgument when BigQuery takes no table of the target's name, or when a column's name is one that
// BigQuery keeps for itself.
absl::Status CheckNames(const TableWork& work);

// The types of the key that changes are applied by (`mode: stream`), or that rows are merged by
// (`mode: incremental`).
absl::Status CheckKeyTypes(const TableWork& work);

// DataLoss when `existing`, BigQuery's Table resource, is no table that rows can be put into: a view, an
// external table, a snapshot …
absl::Status CheckTargetKind(std::string_view existing, const TableWork& work);

}  // namespace hakobu
