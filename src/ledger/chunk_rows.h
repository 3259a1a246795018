// Chunks of streamed tables as rows of the ledger's file, whichever table holds them.
#pragma once

#include <string>
#include <vector>

#include "ledger/sqlite.h"
#include "ledger/stream_log.h"

namespace hakobu {

// One of the ledger's tables of chunks. Every text is a constant of the program (Sqlite::Prepare).
struct ChunkRows {
  const char* select;  // ?1: source; number, bounds_json, done, rows, write_stream by number
  const char* store;   // ?1 to ?6: source and the same

  absl::StatusOr<std::vector<StreamChunkRecord>> Read(Sqlite* sqlite, const std::string& source) const;
  absl::Status Store(Sqlite* sqlite, const std::string& source, const StreamChunkRecord& chunk) const;
};

extern const ChunkRows kStreamChunks;  // of first copies
extern const ChunkRows kRepairChunks;  // of comparisons

}  // namespace hakobu
