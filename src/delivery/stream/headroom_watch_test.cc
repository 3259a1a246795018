#include "delivery/stream/headroom_watch.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

LogState State(uint64_t end) {
  LogState state;
  state.files = {{"b.000001", 1000, false}, {"b.000002", end, false}};
  state.file = "b.000002";
  state.offset = end;
  state.kept_for = absl::Hours(10);
  return state;
}

TEST(LogRates, AreThoseOfTheLastMinute) {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  LogRates rates;
  EXPECT_EQ(rates.Take(State(100), "b.000001", 500, now).written_per_s, 0);
  const auto after = rates.Take(State(1100), "b.000002", 0, now + absl::Seconds(10));
  EXPECT_DOUBLE_EQ(after.written_per_s, 100);
  EXPECT_DOUBLE_EQ(after.delivered_per_s, 50);
  // Both stand still for more than the time that counts.
  rates.Take(State(1100), "b.000002", 0, now + absl::Seconds(65));
  const auto later = rates.Take(State(1100), "b.000002", 0, now + absl::Seconds(75));
  EXPECT_DOUBLE_EQ(later.written_per_s, 0);
  EXPECT_DOUBLE_EQ(later.delivered_per_s, 0);
}

TEST(LogRates, AFileThatIsGoneBeginsAnew) {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  LogRates rates;
  rates.Take(State(100), "b.000001", 500, now);
  LogState state = State(400);
  state.files.erase(state.files.begin());
  EXPECT_DOUBLE_EQ(rates.Take(state, "b.000002", 0, now + absl::Seconds(3)).written_per_s, 0);
  EXPECT_DOUBLE_EQ(rates.Take(state, "b.000002", 400, now + absl::Seconds(5)).delivered_per_s, 200);
}

TEST(HeadroomLevel, GoesByWhatIsLeftOfTheTimeThatTheSourceKeepsItsLog) {
  const LogState state = State(100);
  const auto level = [&](absl::Duration left) {
    Headroom headroom;
    headroom.at_this_rate = left;
    return LevelOf(headroom, state);
  };
  EXPECT_EQ(level(absl::InfiniteDuration()), HeadroomLevel::kEnough);
  EXPECT_EQ(level(absl::Hours(6)), HeadroomLevel::kEnough);
  EXPECT_EQ(level(absl::Hours(5)), HeadroomLevel::kHalf);
  EXPECT_EQ(level(absl::Hours(2)), HeadroomLevel::kQuarter);
  EXPECT_EQ(level(absl::Minutes(30)), HeadroomLevel::kTenth);
  Headroom gone;
  gone.already_gone = true;
  EXPECT_EQ(LevelOf(gone, state), HeadroomLevel::kGone);
}

}  // namespace
}  // namespace hakobu
