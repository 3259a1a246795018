// Ctrl-C and SIGTERM: the first asks for a clean stop, the second ends the program at once.
#pragma once

#include <memory>

#include "base/cancel.h"

namespace hakobu {

// Signals reach `cancel` while this lives. Make it before any other thread, so that they inherit the signal
// mask.
class InterruptGuard {
 public:
  virtual ~InterruptGuard() = default;
  static std::unique_ptr<InterruptGuard> Watch(Cancellation* cancel);
};

}  // namespace hakobu
