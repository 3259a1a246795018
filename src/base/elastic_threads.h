// Threads that come when all others are busy, and stay for the next task.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace hakobu {

// Thread-safe. The destructor runs what was posted before, and waits for it.
class ElasticThreads {
 public:
  explicit ElasticThreads(size_t most) : most_(most) {}
  ~ElasticThreads() { Join(); }
  ElasticThreads(const ElasticThreads&) = delete;
  ElasticThreads& operator=(const ElasticThreads&) = delete;

  void Post(std::function<void()> task);
  // Nothing may be posted any more.
  void Join();

 private:
  void Work();

  const size_t most_;
  absl::Mutex mutex_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hakobu
