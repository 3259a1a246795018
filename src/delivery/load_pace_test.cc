#include "delivery/load_pace.h"

#include <gtest/gtest.h>

#include <vector>

namespace hakobu {
namespace {

TEST(LoadPace, NoMoreThanFiveJobsBeginWithinTenSeconds) {
  FakeClock clock;
  Cancellation cancel;
  LoadPace pace;
  std::vector<absl::Time> begun;
  for (int job = 0; job < 23; ++job) {
    ASSERT_TRUE(pace.Wait(&clock, &cancel).ok());
    begun.push_back(clock.Now());
    if (job % 7 == 0) clock.Advance(absl::Seconds(3));
  }
  for (size_t i = LoadPace::kBurst; i < begun.size(); ++i) {
    EXPECT_GE(begun[i] - begun[i - LoadPace::kBurst], LoadPace::kWindow) << i;
  }
  EXPECT_LE(begun[4], absl::UnixEpoch() + absl::Seconds(3)) << "the first five do not wait";
}

TEST(LoadPace, ACancelledWaitEnds) {
  FakeClock clock;
  Cancellation cancel;
  LoadPace pace;
  for (size_t job = 0; job < LoadPace::kBurst; ++job) ASSERT_TRUE(pace.Wait(&clock, &cancel).ok());
  cancel.Cancel();
  EXPECT_EQ(pace.Wait(&clock, &cancel).code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace hakobu
