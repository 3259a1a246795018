#include "localbq/rest/job_timer.h"

#include "absl/time/clock.h"
#include "localbq/rest/jobs.h"

namespace hakobu::localbq::rest {
namespace {

// A statement that had not begun when its job was ended is not interrupted by that: it is told again.
constexpr absl::Duration kAgain = absl::Milliseconds(10);

}  // namespace

JobTimer::~JobTimer() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void JobTimer::Watch(const std::shared_ptr<Job>& job, absl::Time until) {
  absl::MutexLock lock(&mutex_);
  due_.emplace(until, job);
}

void JobTimer::Run() {
  absl::MutexLock lock(&mutex_);
  while (!stopping_) {
    const auto is_due = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return stopping_ || (!due_.empty() && due_.begin()->first <= absl::Now());
    };
    const absl::Time next = due_.empty() ? absl::InfiniteFuture() : due_.begin()->first;
    const size_t known = due_.size();
    const auto changed = [&, known]()
                             ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return is_due() || due_.size() != known; };
    mutex_.AwaitWithDeadline(absl::Condition(&changed), next);
    while (!stopping_ && !due_.empty() && due_.begin()->first <= absl::Now()) {
      const std::shared_ptr<Job> job = due_.begin()->second.lock();
      due_.erase(due_.begin());
      if (job == nullptr || job->done()) continue;
      job->TimeOut();
      due_.emplace(absl::Now() + kAgain, job);
    }
  }
}

}  // namespace hakobu::localbq::rest
