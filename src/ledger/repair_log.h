// Comparisons of streamed tables with their source that are under way, so that a repair goes on where it was
// killed. In the ledger's file, as durable as the rest of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ledger/stream_log.h"

namespace hakobu {

struct RepairTableRecord {
  std::string source{};       // "shop.members"
  std::string target{};       // "project.dataset.table"
  std::string rows_table{};   // where the source's rows are put beside it
  std::string fingerprint{};  // of the schema; another one begins anew
  std::string sequence{};     // _CHANGE_SEQUENCE_NUMBER of the place noted before the first chunk was read
  absl::Time started = absl::InfinitePast();
  int64_t round = 0;  // the last one begun: rows of a round are never mixed with those of an earlier process
};

// Thread-safe.
class RepairLog {
 public:
  // The ledger's file; made when there is none.
  static absl::StatusOr<std::unique_ptr<RepairLog>> Open(const std::string& path);
  virtual ~RepairLog() = default;

  // Only one process compares and repairs with a ledger at a time, beside the stream: FailedPrecondition
  // naming the other's pid.
  virtual absl::Status Lock() = 0;

  virtual absl::StatusOr<std::optional<RepairTableRecord>> Find(const std::string& source) = 0;
  // The record and, in place of old ones, its chunks, in one transaction.
  virtual absl::Status Begin(const RepairTableRecord& table,
                             const std::vector<StreamChunkRecord>& chunks) = 0;
  virtual absl::Status StoreRound(const std::string& source, int64_t round) = 0;
  virtual absl::StatusOr<std::vector<StreamChunkRecord>> Chunks(const std::string& source) = 0;
  virtual absl::Status StoreChunk(const std::string& source, const StreamChunkRecord& chunk) = 0;
  virtual absl::Status Forget(const std::string& source) = 0;
};

}  // namespace hakobu
