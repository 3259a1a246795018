#include "delivery/stream/headroom.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

LogState State() {
  LogState state;
  state.files = {{"b.000007", 1000, false}, {"b.000008", 500, false}};
  state.file = "b.000008";
  state.offset = 500;
  state.kept_for = absl::Hours(6);
  state.server_now = absl::FromUnixSeconds(1'700'000'000);
  return state;
}

TEST(Headroom, AStreamThatFallsBehindIsToldWhenTheSourcePurges) {
  const LogState state = State();
  const auto since = state.server_now - absl::Minutes(48);
  const Headroom stalled = ComputeHeadroom(state, "b.000007", 400, since, 100, 0);
  EXPECT_EQ(stalled.bytes_behind, 1100u);
  EXPECT_EQ(stalled.stalled, absl::Hours(5) + absl::Minutes(12));
  EXPECT_EQ(stalled.Text(), "the source purges what is still needed in 5 h 12 min at this rate");
  EXPECT_FALSE(stalled.caught_up_in);
  // At half the source's rate its age grows by half a second a second.
  const Headroom half = ComputeHeadroom(state, "b.000007", 400, since, 100, 50);
  EXPECT_EQ(half.at_this_rate, absl::Hours(10) + absl::Minutes(24));
}

TEST(Headroom, AStreamThatKeepsUpHasNoEnd) {
  const LogState state = State();
  const Headroom faster =
      ComputeHeadroom(state, "b.000007", 400, state.server_now - absl::Hours(1), 100, 200);
  EXPECT_EQ(faster.caught_up_in, absl::Seconds(11));
  EXPECT_EQ(faster.at_this_rate, absl::InfiniteDuration());
  EXPECT_EQ(faster.stalled, absl::Hours(5));
  const Headroom even = ComputeHeadroom(state, "b.000008", 500, state.server_now - absl::Hours(100), 100, 0);
  EXPECT_EQ(even.stalled, absl::InfiniteDuration());
  EXPECT_EQ(even.Text(), "everything in the log has been read");
}

TEST(Headroom, WhatIsGoneIsSaidToBeGoneAndWhatIsKeptForeverHasNoEnd) {
  LogState state = State();
  const Headroom gone = ComputeHeadroom(state, "b.000006", 4, state.server_now, 1, 1);
  EXPECT_TRUE(gone.already_gone);
  EXPECT_EQ(gone.at_this_rate, absl::ZeroDuration());
  const Headroom late = ComputeHeadroom(state, "b.000007", 4, state.server_now - absl::Hours(7), 1, 0);
  EXPECT_EQ(late.stalled, absl::ZeroDuration());
  state.kept_for.reset();
  EXPECT_FALSE(ComputeHeadroom(state, "b.000007", 4, state.server_now, 1, 1).stalled);
}

TEST(Headroom, DurationsInWords) {
  EXPECT_EQ(SpokenDuration(absl::Seconds(45)), "45 s");
  EXPECT_EQ(SpokenDuration(absl::Seconds(61)), "1 min 1 s");
  EXPECT_EQ(SpokenDuration(absl::Hours(5) + absl::Minutes(12)), "5 h 12 min");
  EXPECT_EQ(SpokenDuration(absl::Hours(76)), "3 d 4 h");
}

}  // namespace
}  // namespace hakobu
