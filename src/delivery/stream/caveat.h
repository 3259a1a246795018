// Tables that can differ from their source although everything in the log has been delivered.
#pragma once

#include <set>
#include <string>

#include "absl/status/status.h"
#include "delivery/stream/stream_context.h"

namespace hakobu {

// Gives each table that a foreign key changes without the log its caveat.
absl::Status TakeCaveats(StreamContext* context, Connection* source, const std::set<std::string>& databases);

// A table that is whole says why only so far, as the server and its keys are now.
absl::Status KeepCaveat(StreamContext* context, StreamTable* table);

}  // namespace hakobu
