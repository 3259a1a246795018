// How rows are read from a source: how many are decoded and encoded at a time, and which failures pass.
#pragma once

#include "absl/status/status.h"
#include "row/batch.h"

namespace hakobu {

// A batch is decoded and encoded while it is in the core's own cache.
inline bool IsFull(const Batch& batch) {
  constexpr size_t kMostBytes = 64 << 10;
  constexpr size_t kMostRows = 2000;
  return batch.bytes() >= kMostBytes || batch.rows() >= kMostRows;
}

// Whether the same read may succeed later, with nothing changed but the time.
inline bool PassesByItself(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kAborted ||
         status.code() == absl::StatusCode::kDeadlineExceeded;
}

}  // namespace hakobu
