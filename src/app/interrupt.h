// Ctrl-C and SIGTERM: the first asks for a clean stop, the second ends the program at once.
#pragma once

#include <memory>
#include <string_view>

#include "base/cancel.h"

namespace hakobu {

// Signals reach `cancel` while this lives. Make it before any other thread, so that they inherit the signal
// mask.
class InterruptGuard {
 public:
  virtual ~InterruptGuard() = default;
  // `said` at the first of them: what stopping means.
  static std::unique_ptr<InterruptGuard> Watch(Cancellation* cancel, std::string_view said = kRunGoesOn);
  static constexpr std::string_view kRunGoesOn =
      "stopping; what is finished is kept and the next run continues. Once more ends at once.";
};

}  // namespace hakobu
