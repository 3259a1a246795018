// Shows a stream's state, each time it is said, to whoever tells people.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "config/config.h"
#include "delivery/stream/stream.h"
#include "ledger/ledger.h"
#include "notify/notifier.h"

namespace hakobu {

class StreamAlerts : public StreamObserver {
 public:
  // `notifier` may be null. All outlive it.
  StreamAlerts(StreamObserver* next, const Config& config, Notifier* notifier)
      : next_(next), config_(config), notifier_(notifier) {}

  void OnStatus(const StreamStatus& status) override;

 private:
  // Read again when their number has changed.
  std::optional<std::vector<StreamGapRecord>> Gaps(const StreamStatus& status);

  StreamObserver* const next_;
  const Config& config_;
  Notifier* const notifier_;
  std::optional<std::vector<StreamGapRecord>> gaps_;
  uint64_t gaps_open_ = 0;
};

}  // namespace hakobu
