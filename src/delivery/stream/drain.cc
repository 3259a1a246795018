#include "delivery/stream/drain.h"

#include <utility>

namespace hakobu {

DrainDeadline::DrainDeadline(std::function<bool()> asked, absl::Duration patience,
                             std::function<void()> give_up)
    : thread_([this, asked = std::move(asked), patience, give_up = std::move(give_up)] {
        constexpr absl::Duration kLookEvery = absl::Milliseconds(50);
        while (!over_.WaitForNotificationWithTimeout(kLookEvery)) {
          if (!asked()) continue;
          if (!over_.WaitForNotificationWithTimeout(patience)) give_up();
          return;
        }
      }) {}

DrainDeadline::~DrainDeadline() {
  over_.Notify();
  thread_.join();
}

}  // namespace hakobu
