#include "grants/call_pacer.h"

#include <algorithm>
#include <deque>
#include <map>

#include "absl/synchronization/mutex.h"

namespace hakobu {

struct CallPacer::State {
  const Limits limits;
  Clock* const clock;
  mutable absl::Mutex mutex;
  std::deque<absl::Time> calls ABSL_GUARDED_BY(mutex);
  std::map<std::string, std::deque<absl::Time>> writes_to ABSL_GUARDED_BY(mutex);
  size_t reads ABSL_GUARDED_BY(mutex) = 0;
  size_t writes ABSL_GUARDED_BY(mutex) = 0;

  State(Limits limits_in, Clock* clock_in) : limits(limits_in), clock(clock_in) {}

  // Zero when another call may go now; else how long until the window has room.
  static absl::Duration Delay(std::deque<absl::Time>* times, int limit, absl::Duration window,
                              absl::Time now) {
    while (!times->empty() && times->front() + window <= now) times->pop_front();
    if (times->size() < static_cast<size_t>(limit)) return absl::ZeroDuration();
    return times->front() + window - now;
  }

  void Wait(const std::string* target) {
    while (true) {
      absl::Duration delay;
      {
        absl::MutexLock lock(&mutex);
        const absl::Time now = clock->Now();
        delay = Delay(&calls, limits.per_second, absl::Seconds(1), now);
        if (target != nullptr) {
          delay = std::max(delay, Delay(&writes_to[*target], limits.per_target, limits.window, now));
        }
        if (delay <= absl::ZeroDuration()) {
          calls.push_back(now);
          if (target != nullptr) writes_to[*target].push_back(now);
          ++(target == nullptr ? reads : writes);
          return;
        }
      }
      clock->Sleep(delay);
    }
  }
};

CallPacer::CallPacer(Limits limits, Clock* clock) : state_(std::make_unique<State>(limits, clock)) {}
CallPacer::~CallPacer() = default;
void CallPacer::WaitForRead() {
  state_->Wait(nullptr);
}
void CallPacer::WaitForWrite(const std::string& target) {
  state_->Wait(&target);
}
size_t CallPacer::reads() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->reads;
}
size_t CallPacer::writes() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->writes;
}

}  // namespace hakobu
