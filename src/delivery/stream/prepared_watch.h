// XA transactions that MariaDB's log says were prepared, and that the server has not: it writes the log
// first, and a crash between the two leaves them without an end for ever.
#pragma once

#include <atomic>
#include <deque>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "log/point.h"
#include "source/connection.h"
#include "source/log_state.h"

namespace hakobu {

// Thread-safe. The log's thread says whether it waits for any and asks; another one looks.
class PreparedWatch {
 public:
  void SetWaiting(bool waits) { waiting_.store(waits, std::memory_order_relaxed); }
  bool waiting() const { return waiting_.load(std::memory_order_relaxed); }

  // What the server has prepared (XA RECOVER). To be called before the place in the log is read that Publish
  // gets.
  static absl::StatusOr<std::set<std::string>> Read(Connection* source);
  void Publish(std::set<std::string> xids, const LogState& state);
  // The log is another server's, or comes again from an earlier place.
  void Forget() {
    absl::MutexLock lock(&mutex_);
    looks_.clear();
  }

  // `xid` as XA COMMIT would name it, prepared at `prepared`, with no end in the log before `read_to`
  // True when the server was started after that, and did not know it in two looks at places before this one.
  bool IsLost(const std::string& xid, absl::Time prepared, const LogPoint& read_to) const;

 private:
  struct Look {
    std::set<std::string> xids;
    LogPoint place;
    absl::Time started;
  };
  std::atomic<bool> waiting_{false};
  mutable absl::Mutex mutex_;
  std::deque<Look> looks_ ABSL_GUARDED_BY(mutex_);  // the last ones
};

}  // namespace hakobu
