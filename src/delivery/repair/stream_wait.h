// Waiting for a stream that runs beside.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "delivery/repair/repair_context.h"
#include "source/source.h"

namespace hakobu {

absl::StatusOr<DeliveredPoint> DeliveredUpTo(StreamBook& log);

// Until the stream has delivered what the source's log has now, and readers see it (`staleness`). True: it
// has not: no stream is running, or it does not get on.
absl::StatusOr<bool> StreamStaysBehind(RepairContext* context, Connection* source, const std::string& table,
                                       absl::Duration staleness);

}  // namespace hakobu
