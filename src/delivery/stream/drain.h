// A request to stop has its limit: what is on its way is waited for, and then given up, whatever a thread is
// blocked in. The next start repeats it.
#pragma once

#include <functional>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace hakobu {

class DrainDeadline {
 public:
  // `asked` is looked at now and then; once it is true `give_up` is called, from a thread of its own, unless
  // this is gone within `patience`.
  DrainDeadline(std::function<bool()> asked, absl::Duration patience, std::function<void()> give_up);
  ~DrainDeadline();
  DrainDeadline(const DrainDeadline&) = delete;
  DrainDeadline& operator=(const DrainDeadline&) = delete;

 private:
  absl::Notification over_;
  std::thread thread_;
};

}  // namespace hakobu
