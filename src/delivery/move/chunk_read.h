// The reading half of moving rows: one chunk of a table as batches of decoded cells.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "decode/decode.h"
#include "row/batch.h"
#include "source/source.h"

namespace hakobu {

// A batch is decoded and encoded while it is in the core's own cache.
inline bool IsFull(const Batch& batch) {
  constexpr size_t kMostBytes = 64 << 10;
  constexpr size_t kMostRows = 2000;
  return batch.bytes() >= kMostBytes || batch.rows() >= kMostRows;
}

struct ChunkSource {
  const SourceTable* table = nullptr;            // with the key that chunks are ranges of
  const std::vector<size_t>* columns = nullptr;  // read by the SELECT: places in table->columns
  std::string_view where;                        // "" for all rows
  const RowDecoder* decoder = nullptr;
  size_t batch_columns = 0;  // cells of a row: what the SELECT reads, and what the taker fills in behind it
};

// Hands the chunk's rows to `take` in batches that fit the core's own cache; the last one may be empty. The
// batch's cells are valid during the call. Stops at the first error of either side.
absl::Status ReadChunk(Connection* connection, const ChunkSource& source, const Chunk& bounds,
                       absl::FunctionRef<absl::Status(Batch&)> take);

}  // namespace hakobu
