// Comparisons of streamed tables with their source that are under way, so that a repair goes on where it was
// killed. In the ledger's file, as durable as the rest of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ledger/session.h"
#include "ledger/stream_book.h"

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
class RepairBook {
 public:
  explicit RepairBook(LedgerFile* file) : file_(file) {}

  absl::StatusOr<std::optional<RepairTableRecord>> Find(const std::string& source);
  // The record and, in place of old ones, its chunks, in one transaction.
  absl::Status Begin(const RepairTableRecord& table, const std::vector<StreamChunkRecord>& chunks);
  absl::Status StoreRound(const std::string& source, int64_t round);
  absl::StatusOr<std::vector<StreamChunkRecord>> Chunks(const std::string& source);
  absl::Status StoreChunk(const std::string& source, const StreamChunkRecord& chunk);
  absl::Status Forget(const std::string& source);

 private:
  LedgerFile* file_;
};

}  // namespace hakobu
