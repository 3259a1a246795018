// `hakobu probe`: a scratch dataset is made, the experiments of destination/probe/ run in it, their answers
// go into the ledger, and the dataset is removed, whatever happened.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "destination/probe/probe.h"

namespace hakobu {

struct ProbeOptions {
  std::vector<std::string> experiments;  // by name; empty: all
  std::string policy_tag;
  std::vector<std::string> members;
  absl::Duration watch = absl::Minutes(2);
  absl::Duration stream_age = absl::ZeroDuration();
  DestinationAddresses addresses;
  Clock* clock = Clock::Real();
};

// Tells of each experiment as it ends. What was answered before a failure or a stop is in the ledger. A
// scratch dataset that could not be removed (the process was killed, the service was away) is known to the
// ledger, and removed first by the next call; nothing that this ledger's probes have not made is touched.
absl::Status RunProbe(const Config& config, const ProbeOptions& options,
                      const std::function<void(const ProbeOutcome&)>& tell, const Cancellation& cancel);

}  // namespace hakobu
