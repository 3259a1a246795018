// What `hakobu stream` would do and cost, for `hakobu plan`.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "config/config.h"
#include "delivery/delivery.h"

namespace hakobu {

bool HasStreamTables(const Config& config);
// Text for people, or a JSON array. Touches nothing on either side.
absl::StatusOr<std::string> StreamPlan(const Config& config, const DestinationAddresses& addresses, bool json,
                                       const Cancellation& cancel);

}  // namespace hakobu
