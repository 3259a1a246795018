// How a table, or an incremental run's window of it, is cut into chunks that the connections share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "delivery/run_context.h"

namespace hakobu {

struct TableChunks {
  std::vector<Chunk> chunks;  // never empty
  // The index that the chunks are ranges of; absent: the table's own key.
  std::optional<SourceKey> range = std::nullopt;
  uint64_t estimated_rows = 0;  // of the table or the window, by the server's statistics
  std::string condition = {};   // of the window's rows, beside the table's filter; empty: none
};

// At most as many chunks as one commit takes streams, or a table load jobs a day: larger ones when there
// would be more. `window`: null for a whole table. Adds notes: why it is read in one pass, or not through the
// cursor. Reads no row: EXPLAIN, probes of single keys, and a count of the index where rows have no cursor.
absl::StatusOr<TableChunks> PlanTableChunks(RunContext* run, Connection* source, const TableWork& work,
                                            const Window* window, std::vector<std::string>* notes);

// Bytes of the clustered index that `rows` rows of the table are likely to have.
uint64_t EstimatedBytes(const SourceTable& table, uint64_t rows);

}  // namespace hakobu
