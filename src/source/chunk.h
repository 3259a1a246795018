// A table cut into ranges of its key: each row of the table belongs to exactly one chunk, whatever is written
// meanwhile, because the cuts are compared by the server in the columns' own collations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "row/source_table.h"
#include "source/connection.h"

namespace hakobu {

// One value per key column, in key order: digits for numbers (and ENUM, SET, BIT by number), upper-case hex
// of the stored bytes for strings and binaries, the server's text for temporals.
using KeyBound = std::vector<std::string>;

// Rows with after < key <= upto; without a bound, open on that side.
struct Chunk {
  uint32_t number = 0;
  std::optional<KeyBound> after = std::nullopt;
  std::optional<KeyBound> upto = std::nullopt;
  uint64_t estimated_rows = 0;

  bool operator==(const Chunk&) const = default;
  std::string ToJson() const;
  static absl::StatusOr<Chunk> FromJson(std::string_view text);
};

struct ChunkOptions {
  uint64_t target_rows = 250'000;
  uint64_t target_bytes = 64ull << 20;  // of the clustered index, by the table's average row
  uint32_t connections = 1;             // at least so many chunks when the table is worth it (see PlanChunks)
  std::string where;                    // the user's row filter, an SQL expression; empty: none
  // Bounds on the key's first column, an SQL expression that an index serves: only rows within are planned
  // for (and must be read: it is no part of the chunks). Empty: the whole table.
  std::string window;
};

struct ChunkPlan {
  std::vector<Chunk> chunks;  // never empty: an unsplit table is one open chunk
  bool single_pass = false;   // the table cannot be ranged over: it is read by one statement
  std::string why;            // … because
  uint64_t statements = 0;    // sent while planning
};

// Plans without scanning: index dives only (EXPLAIN estimates and single-row probes through the key), so that
// cost grows with the number of chunks and not with the table. First asks the server (EXPLAIN) that ranging
// over the key is a range read of that index with neither filesort nor temporary table; if not, plans a
// single pass and says why. FailedPrecondition when even the single pass would sort or materialise (a `where`
// that does).
absl::StatusOr<ChunkPlan> PlanChunks(Connection* connection, const SourceTable& table,
                                     const ChunkOptions& options);

// The SELECT that reads `chunk`: `columns` are places in table.columns. Every value arrives as RowDecoder
// expects it. InvalidArgument when a bound does not suit the key (a ledger of another table's shape).
absl::StatusOr<std::string> ChunkSelect(const SourceTable& table, const std::vector<size_t>& columns,
                                        const Chunk& chunk, std::string_view where);

}  // namespace hakobu
