#include "delivery/load_pace.h"

#include <algorithm>

#include "base/check.h"
#include "destination/retry.h"

namespace hakobu {

absl::Status LoadPace::Wait(Clock* clock, const Cancellation* cancel) {
  absl::Duration wait = absl::ZeroDuration();
  {
    absl::MutexLock lock(&mutex_);
    absl::Time begin = clock->Now();
    if (begun_.size() >= kBurst) begin = std::max(begin, begun_[begun_.size() - kBurst] + kWindow);
    wait = begin - clock->Now();
    begun_.push_back(begin);
    if (begun_.size() > kBurst) begun_.pop_front();
    HAKOBU_CHECK(begun_.size() <= kBurst, "more beginnings are remembered than count", kStartAgain);
  }
  if (wait <= absl::ZeroDuration()) return absl::OkStatus();
  return SleepFor({.clock = clock, .cancellation = cancel, .jitter = {}}, wait);
}

}  // namespace hakobu
