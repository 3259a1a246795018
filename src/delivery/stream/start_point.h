// Where the log is read from: the stored place where that is proven to go on, else the place behind a
// recorded gap.
#pragma once

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "delivery/stream/stream_context.h"
#include "source/log_state.h"
#include "source/log_stream.h"

namespace hakobu {

struct StartPoint {
  LogStart start;
  DeliveredPoint position;  // what is seen from `start` on, with the epoch and identity that hold
  // How far the server's clock is before this machine's, rounded up to its grain of a second.
  absl::Duration server_ahead = absl::ZeroDuration();
};

// The very first start: the end of the log, with the tables' copies to follow. Everything before it can be
// read in the tables.
absl::StatusOr<StartPoint> FirstStart(StreamContext* context, Connection* source,
                                      const std::set<std::string>& databases);

// Proves that the source's log goes on at `from`. Where it does not, the gap is recorded, its tables are
// called "gap" and the place behind it is stored. `refused`: what the server answered when it was asked to go
// on there. Unavailable: ask again later. DataLoss: there is a gap, and the configuration says to stop there.
absl::StatusOr<StartPoint> ContinueAt(StreamContext* context, const DeliveredPoint& from, LogFailure refused);

// InvalidArgument, with all that is wrong, when the source's log cannot be followed, or says less of these
// databases than happens in them.
absl::Status CheckLog(const LogState& state, const std::set<std::string>& databases);

}  // namespace hakobu
