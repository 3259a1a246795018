// What a command of delivery works with on both sides.
#pragma once

#include "base/clock.h"
#include "delivery/sides.h"
#include "ledger/ledger.h"

namespace hakobu {

// Runs, the stream and repairs each have one, with what is their own beside it. It outlives their threads.
struct DeliverySession {
  const Config* config = nullptr;
  Clock* clock = nullptr;
  ConnectOptions connect;  // to the source
  Destination destination;
  Ledger* ledger = nullptr;
};

}  // namespace hakobu
