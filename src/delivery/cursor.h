// Where the next incremental run of a table begins, as the ledger keeps it between runs.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "delivery/table_work.h"
#include "delivery/window.h"
#include "ledger/ledger.h"

namespace hakobu {

// None: from nothing, as for a table that is gone from BigQuery whatever the ledger remembers, one whose rows
// all come anew, or when what it remembers was sealed with another salt.
absl::StatusOr<std::optional<CursorState>> ReadCursor(Ledger* ledger, const TableWork& work);
// Once the run's rows are merged.
absl::Status MoveCursor(Ledger* ledger, const std::string& run_id, const TableWork& work,
                        const CursorState& next);

}  // namespace hakobu
