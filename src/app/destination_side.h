// The BigQuery that a command talks to: Google's, one that runs already, or one that is started for the
// command.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "config/config.h"
#include "delivery/delivery.h"

namespace hakobu {

// Keeps the embedded local BigQuery running as long as it lives.
class DestinationSide {
 public:
  // Starts the local BigQuery for `endpoint: local`; else does nothing.
  static absl::StatusOr<std::unique_ptr<DestinationSide>> Open(const Config& config);
  virtual ~DestinationSide() = default;
  // Empty where delivery finds the address itself.
  virtual DestinationAddresses addresses() const = 0;
};

}  // namespace hakobu
