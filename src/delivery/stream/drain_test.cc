#include "delivery/stream/drain.h"

#include <gtest/gtest.h>

#include <atomic>

#include "absl/time/clock.h"

namespace hakobu {
namespace {

TEST(DrainDeadline, GivesUpOnceItsTimeIsUp) {
  std::atomic<bool> asked{false};
  absl::Notification given_up;
  const DrainDeadline deadline([&] { return asked.load(); }, absl::Milliseconds(20),
                               [&] { given_up.Notify(); });
  EXPECT_FALSE(given_up.WaitForNotificationWithTimeout(absl::Milliseconds(200)));
  asked = true;
  EXPECT_TRUE(given_up.WaitForNotificationWithTimeout(absl::Minutes(1)));
}

TEST(DrainDeadline, WhatIsOverIsNotGivenUp) {
  std::atomic<int> given_up{0};
  {
    const DrainDeadline deadline([] { return true; }, absl::Minutes(5), [&] { ++given_up; });
  }
  {
    const DrainDeadline deadline([] { return false; }, absl::ZeroDuration(), [&] { ++given_up; });
  }
  EXPECT_EQ(given_up, 0);
}

}  // namespace
}  // namespace hakobu
