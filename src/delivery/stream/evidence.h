// Asks a server for what continuity is judged by.
#pragma once

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "delivery/stream/continuity.h"

namespace hakobu {

// Opens short streams of its own: one for the stored file, one for the oldest, and, where the server's
// history seems to have parted, one for each step of a binary search for the place; behind a failover also
// for errant transactions (errant.h). What cannot be had stays unknown; only errors of the connection are
// errors.
absl::StatusOr<LogEvidence> GatherEvidence(const ConnectOptions& connect, const DeliveredPoint& stored,
                                           const LogState& state, const Cancellation& cancel);

struct ContinuityProof {
  LogState state;
  LogEvidence evidence;
  Continuity judgement;
};
// Reads the state, gathers and judges. `refused`: what the server answered when it was asked to go on.
absl::StatusOr<ContinuityProof> ProveContinuity(const ConnectOptions& connect, const DeliveredPoint& stored,
                                                LogFailure refused, const Cancellation& cancel);

}  // namespace hakobu
