// Ends jobs that take longer than they may (jobTimeoutMs).
#pragma once

#include <map>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hakobu::localbq::rest {

class Job;

// Thread-safe. One thread, which sleeps while nothing is due.
class JobTimer {
 public:
  JobTimer() : thread_([this] { Run(); }) {}
  ~JobTimer();
  void Watch(const std::shared_ptr<Job>& job, absl::Time until);

 private:
  void Run();

  absl::Mutex mutex_;
  std::multimap<absl::Time, std::weak_ptr<Job>> due_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace hakobu::localbq::rest
