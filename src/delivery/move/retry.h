// The one rule for what is tried again when rows are moved.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "destination/retry.h"

namespace hakobu {

// Whether the same read or write may succeed later, with nothing changed but the time.
bool PassesByItself(const absl::Status& status);
// The service has lost or closed a write stream: a new one, with the chunk read again, is the way out.
bool IsStreamGone(const absl::Status& status);
// A job that ran and failed, apart from a call that did.
bool IsJobsOwnError(const absl::Status& status);

// The attempts at one piece of work (a chunk). What passes by itself is waited out with growing pauses, until
// `patience` is spent without success; a lost stream is replaced a few times; whatever else is final.
class MoveAttempts {
 public:
  struct Limits {
    absl::Duration first_delay = absl::Seconds(1);
    absl::Duration longest_delay = absl::Seconds(10);
    absl::Duration patience = absl::Minutes(10);  // may be infinite
    int own_tries = 0;  // failures of the work's own that are tried again as well, in a row
  };
  MoveAttempts(const Limits& limits, Clock* clock, const Cancellation* cancel);
  MoveAttempts(const MoveAttempts&) = delete;
  MoveAttempts& operator=(const MoveAttempts&) = delete;

  // After a failure: OK when it is to be tried again, having waited; the final error else.
  absl::Status Again(const absl::Status& failure);
  // After a success, when the attempts are to serve the next piece as well.
  void Reset();

 private:
  const Limits limits_;
  const RetryContext context_;
  Backoff backoff_;
  int new_streams_ = 0;
  int own_failures_ = 0;
};

}  // namespace hakobu
