// Budgets of calls over time, so that the service's quotas are kept rather than run into. The clock is
// injected.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "destination/retry.h"

namespace hakobu {

struct PaceLimit {
  size_t calls = 0;
  absl::Duration window;
};

// [cloud.google.com/bigquery/quotas: Storage Write API] 10,000 in an hour, project and region. A tenth is
// left to others.
inline const std::vector<PaceLimit> kCreateStreamLimits = {{9'000, absl::Hours(1)}};
// [cloud.google.com/bigquery/quotas: Standard tables] Metadata updates: 5 in 10 s, of a table; patches and
// DDL share it [measured by others: 5 at once, then one in 2.2 s].
inline const std::vector<PaceLimit> kTableChangeLimits = {{5, absl::Seconds(11)}};

// At most so many calls of one key within each window, wherever the window begins. Thread-safe.
class Pace {
 public:
  explicit Pace(std::vector<PaceLimit> limits) : limits_(std::move(limits)) {}
  // Books one call at `now`, and returns zero; or books nothing, and returns how long to wait first.
  absl::Duration Take(std::string_view key, absl::Time now);
  // Waits until a call may be made, and books it. Cancelled as soon as the context is.
  absl::Status Wait(const RetryContext& context, std::string_view key);

 private:
  void Forget(std::deque<absl::Time>* calls, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  const std::vector<PaceLimit> limits_;
  absl::Mutex mutex_;
  std::map<std::string, std::deque<absl::Time>, std::less<>> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu
