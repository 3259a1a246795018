// How often one table may be changed by jobs: BigQuery takes 5 changes of a table in 10 seconds, and 1,500 a
// day (docs.cloud.google.com/bigquery/quotas: table operations), and refuses what is above.
#pragma once

#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "base/clock.h"

namespace hakobu {

// Chunks of one load each: the rest of the 1,500 is for what others do to the table, and for what is tried
// again.
inline constexpr size_t kMostLoads = 1000;

// Of one table. Thread-safe.
class LoadPace {
 public:
  static constexpr size_t kBurst = 5;
  static constexpr absl::Duration kWindow = absl::Seconds(10);

  // Before each job. Waits until at most kBurst jobs, this one among them, began within kWindow. Not OK:
  // cancelled.
  absl::Status Wait(Clock* clock, const Cancellation* cancel);

 private:
  absl::Mutex mutex_;
  std::deque<absl::Time> begun_ ABSL_GUARDED_BY(mutex_);  // some of them in the future: whose turn is to come
};

}  // namespace hakobu
