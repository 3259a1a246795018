// Buffers of encoded rows, used again once gRPC is done with them.
#pragma once

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/check.h"
#include "encode/encode.h"

namespace hakobu {

// What an append is filled up to.
inline constexpr size_t kRequestBytes = 1 << 20;

// Encoded requests that gRPC is done with, to be filled again. Thread-safe: gRPC's threads give them back.
class RequestPool : public std::enable_shared_from_this<RequestPool> {
 public:
  std::shared_ptr<EncodedRows> Take() {
    std::unique_ptr<EncodedRows> rows;
    {
      absl::MutexLock lock(&mutex_);
      if (!free_.empty()) {
        rows = std::move(free_.back());
        free_.pop_back();
        HAKOBU_CHECK(rows->buffer().capacity() <= free_bytes_, "a buffer that is free was written to",
                     kStartAgain);
        free_bytes_ -= rows->buffer().capacity();
      }
    }
    if (rows == nullptr) rows = std::make_unique<EncodedRows>();
    HAKOBU_CHECK(rows->rows() == 0, "a request would begin with rows of another", kStartAgain);
    return {rows.release(), [pool = shared_from_this()](EncodedRows* used) { pool->GiveBack(used); }};
  }

 private:
  void GiveBack(EncodedRows* used) {
    std::unique_ptr<EncodedRows> rows(used);
    // One huge row must not be kept for ever.
    if (rows->buffer().capacity() > 4 * kRequestBytes) return;
    rows->Clear();
    absl::MutexLock lock(&mutex_);
    // After a stall very many come back at once.
    if (free_bytes_ + rows->buffer().capacity() > 4 * kRequestBytes) return;
    free_bytes_ += rows->buffer().capacity();
    free_.push_back(std::move(rows));
  }

  absl::Mutex mutex_;
  std::vector<std::unique_ptr<EncodedRows>> free_ ABSL_GUARDED_BY(mutex_);
  size_t free_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace hakobu
