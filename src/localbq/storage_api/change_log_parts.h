// The inside of a change log: its parts in DuckDB, and what is known of them in memory.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "localbq/storage_api/change_log.h"

namespace hakobu::localbq {

// Changes that arrived between two merges, in a DuckDB table of their own: merged as a whole, then dropped.
struct ChangeLog::Part {
  int64_t number = 0;
  int64_t schema_version = -1;  // -1: of an earlier run, closed to new rows
  std::vector<std::string> columns;
  int64_t rows = 0;      // acknowledged
  int64_t first_us = 0;  // when the oldest of them arrived
  int in_flight = 0;     // appends that have chosen this part and are not done
};

struct ChangeLog::Active {
  int64_t generation = 0;
  TableId id;
  absl::Mutex apply_mutex ABSL_ACQUIRED_BEFORE(mutex);  // one merge at a time
  absl::Mutex mutex;
  std::deque<std::shared_ptr<Part>> parts ABSL_GUARDED_BY(mutex);  // oldest first; the last takes new rows
  int64_t last_number ABSL_GUARDED_BY(mutex) = 0;
  uint64_t arrivals ABSL_GUARDED_BY(mutex) = 0;
};

std::string PartTable(int64_t generation, int64_t number);
std::string KeysTable(int64_t generation);

// Completes the last column: sequence numbers become 32 bytes (zeros where there is none), and eight bytes
// that tell the order of arrival follow.
void StampArrivals(const Chunk& chunk, uint64_t* arrivals);
absl::Status AppendToPart(Connection& connection, const std::string& table,
                          std::span<const Chunk* const> chunks);

// All rows of a query of VARCHAR columns.
absl::StatusOr<std::vector<std::vector<std::string>>> ReadTexts(Connection& connection, std::string_view sql);

}  // namespace hakobu::localbq
