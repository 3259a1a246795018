#include "governor/reasons.h"

namespace hakobu {

void ReasonLedger::Book(double until, Reason reason) {
  if (until <= until_) return;
  seconds_[static_cast<size_t>(reason)] += until - until_;
  until_ = until;
}

}  // namespace hakobu
