// Where the log is read from: the stored place where that is proven to go on, else the place behind a
// recorded gap.
#pragma once

#include "absl/status/statusor.h"
#include "delivery/stream/stream_context.h"
#include "source/log_state.h"
#include "source/log_stream.h"

namespace hakobu {

struct StartPoint {
  LogStart start;
  StreamPosition position;  // what is seen from `start` on, with the epoch and identity that hold
};

// The very first start: the end of the log, with the tables' copies to follow. Everything before it can be
// read in the tables.
absl::StatusOr<StartPoint> FirstStart(StreamContext* context, Connection* source);

// Unavailable: ask again later. DataLoss: there is a gap, and the configuration says to stop there.
absl::StatusOr<StartPoint> ContinueAt(StreamContext* context, Connection* source,
                                      const StreamPosition& stored);

// InvalidArgument, with all that is wrong, when the source's log cannot be followed.
absl::Status CheckLog(const LogState& state);

}  // namespace hakobu
