// Rows of an incremental table that the source has not any more, found by their keys.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "delivery/run_context.h"

namespace hakobu {

// Reads the key of every row that the table's filter lets through into `keys`, a table beside the target, and
// deletes there what has none; returns how many rows that were. To be called once the window is merged: a row
// that came later is in both, or in neither. Nothing is deleted unless every key has arrived. Said again it
// does the same.
absl::StatusOr<uint64_t> DeleteGoneRows(RunContext* run, const TableRun& table, const TableName& keys);
// Where they go: a name of its own each time, as what an attempt that was cut off has noted is of another
// moment.
TableName KeysTable(const RunContext& run, const TableName& target);

}  // namespace hakobu
