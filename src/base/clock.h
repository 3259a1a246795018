// The seam for time: whatever waits, retries or stamps takes a Clock, so that tests need not sleep.
#pragma once

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hakobu {

// Safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() = 0;
  virtual void Sleep(absl::Duration duration) = 0;
  static Clock* Real();  // never null, lives as long as the process
};

// Time moves only when somebody sleeps or advances it.
class FakeClock : public Clock {
 public:
  explicit FakeClock(absl::Time start = absl::UnixEpoch()) : now_(start) {}
  absl::Time Now() override;
  void Sleep(absl::Duration duration) override { Advance(duration); }
  void Advance(absl::Duration duration);

 private:
  absl::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu
