#include "delivery/move/retry.h"

#include <gtest/gtest.h>

#include "destination/error.h"

namespace hakobu {
namespace {

TEST(MoveAttempts, WhatPassesByItselfIsTriedUntilPatienceIsSpent) {
  FakeClock clock;
  Cancellation cancel;
  MoveAttempts attempts({.patience = absl::Minutes(1)}, &clock, &cancel);
  int tries = 0;
  while (attempts.Again(absl::UnavailableError("away")).ok()) ++tries;
  EXPECT_GT(tries, 5);
  EXPECT_GE(clock.Now() - absl::UnixEpoch(), absl::Seconds(45));
  EXPECT_LE(clock.Now() - absl::UnixEpoch(), absl::Seconds(75));
}

TEST(MoveAttempts, WhatDoesNotPassIsFinalAtOnceUnlessTriesAreAllowed) {
  FakeClock clock;
  Cancellation cancel;
  MoveAttempts none({}, &clock, &cancel);
  EXPECT_EQ(none.Again(absl::InvalidArgumentError("bad")).message(), "bad");
  MoveAttempts some({.own_tries = 3}, &clock, &cancel);
  EXPECT_TRUE(some.Again(absl::InvalidArgumentError("bad")).ok());
  EXPECT_TRUE(some.Again(absl::InvalidArgumentError("bad")).ok());
  EXPECT_FALSE(some.Again(absl::InvalidArgumentError("bad")).ok());
  some.Reset();
  EXPECT_TRUE(some.Again(absl::InvalidArgumentError("bad")).ok());
}

TEST(MoveAttempts, ALostStreamIsReplacedAFewTimesWithoutWaiting) {
  FakeClock clock;
  Cancellation cancel;
  MoveAttempts attempts({}, &clock, &cancel);
  const absl::Status gone =
      WithStorageCode(absl::InvalidArgumentError("finalized"), StorageErrorCode::kStreamFinalized);
  int tries = 0;
  while (attempts.Again(gone).ok()) ++tries;
  EXPECT_EQ(tries, 5);
  EXPECT_EQ(clock.Now(), absl::UnixEpoch());
}

TEST(MoveAttempts, AJobThatTheServiceFailedDeservesAnother) {
  FakeClock clock;
  Cancellation cancel;
  MoveAttempts attempts({}, &clock, &cancel);
  EXPECT_TRUE(attempts.Again(JobError("job", "jobBackendError", "try later")).ok());
  EXPECT_FALSE(attempts.Again(JobError("job", "invalid", "bad rows")).ok());
}

TEST(MoveAttempts, CancelledWorkIsNotTriedAgain) {
  FakeClock clock;
  Cancellation cancel;
  MoveAttempts attempts({}, &clock, &cancel);
  cancel.Cancel();
  EXPECT_EQ(attempts.Again(absl::UnavailableError("away")).code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace hakobu
