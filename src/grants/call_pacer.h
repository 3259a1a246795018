// How fast access lists may be read and written.
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "base/clock.h"

namespace hakobu {

// Keeps within `per_target` writes in `window` to one target, and `per_second` calls to all. [D:quotas: 5
// metadata updates in 10 s a dataset; 100 requests a second, user and method.] Thread-safe.
class CallPacer {
 public:
  struct Limits {
    int per_target = 5;
    absl::Duration window = absl::Seconds(10);
    int per_second = 90;  // some air below the quota
  };
  CallPacer(Limits limits, Clock* clock);
  ~CallPacer();
  // Sleeps until a call may be made. A write names its target.
  void WaitForRead();
  void WaitForWrite(const std::string& target);
  // So far: reads and writes let through.
  size_t reads() const;
  size_t writes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hakobu
