// One switch that every blocking call of a run watches.
#pragma once

#include <atomic>
#include <stop_token>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace hakobu {

// Thread-safe; Cancel is safe to call many times. (Not from a signal handler: use a waiting thread.)
class Cancellation {
 public:
  void Cancel() {
    if (cancelled_.exchange(true)) return;
    notification_.Notify();
    source_.request_stop();
  }
  // For std::stop_callback: what ends a call that cannot watch. Called once, by whoever cancels.
  std::stop_token token() const { return source_.get_token(); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  // True when cancelled before the time was up.
  bool WaitFor(absl::Duration duration) const {
    return notification_.WaitForNotificationWithTimeout(duration);
  }
  absl::Status Check() const {
    return cancelled() ? absl::CancelledError("stopped on request") : absl::OkStatus();
  }

 private:
  std::atomic<bool> cancelled_{false};
  absl::Notification notification_;
  std::stop_source source_;
};

}  // namespace hakobu
