// A few nights of each kind. bench/governor drives a thousand and prints the figures of docs/promises.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "governor/plant/drivers.h"
#include "governor/plant/oracle.h"

namespace hakobu::plant {
namespace {

Outcome By(DriverKind kind, const Night& night) {
  return Drive(night, MakeDriver(kind, night).get());
}

TEST(Oracle, SpendsWhatTheFutureLeaves) {
  Night night;
  night.truth = {.baseline_iops = 300, .burst_iops = 3'000, .bucket = 5'400'000};
  night.level = 0.5;
  night.floor = 0.3;
  night.own_most_iops = 2'000;
  night.until = 10'000;
  night.app.assign(10'000, 100);
  night.work = 0.2 * 5'400'000 + 200 * 1'800;
  // 1,080,000 credits and 200 a second beside: full speed for 600 s, then what refills.
  EXPECT_NEAR(OracleArrival(night), 1'800, 2);
  night.lag = {{100, 400}};
  EXPECT_NEAR(OracleArrival(night), 1'800, 2) << "what refills meanwhile is spent afterwards";
  night.work = 1e9;
  EXPECT_TRUE(std::isinf(OracleArrival(night)));
}

TEST(Nights, AreTheSameForTheSameSeed) {
  const Night night = MakeNight(7, NightKind::kNeighbours);
  EXPECT_EQ(MakeNight(7, NightKind::kNeighbours).app, night.app);
  EXPECT_NE(MakeNight(8, NightKind::kNeighbours).app, night.app);
  const Outcome one = By(DriverKind::kGovernor, night), again = By(DriverKind::kGovernor, night);
  EXPECT_EQ(one.arrival, again.arrival);
  EXPECT_EQ(one.crossed, again.crossed);
}

class EachKind : public testing::TestWithParam<size_t> {};

TEST_P(EachKind, TheFloorHoldsAndTheArrivalIsTheOracles) {
  const auto kind = static_cast<NightKind>(GetParam());
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const Night night = MakeNight(seed, kind);
    const Outcome outcome = By(DriverKind::kGovernor, night);
    EXPECT_LE(outcome.crossed, 0.05) << NameOf(kind) << " " << seed;
    EXPECT_LE(outcome.most_in_cooldown, 1u) << NameOf(kind) << " " << seed;
    const double oracle = OracleArrival(night);
    if (!std::isfinite(oracle)) continue;
    EXPECT_LE(outcome.arrival, oracle * 1.05 + 300) << NameOf(kind) << " " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Nights, EachKind, testing::Range(size_t{0}, kNightKinds));

TEST(Drivers, StopAndGoCrossesFloorsThatTheGovernorHolds) {
  double governor = 0, stop_and_go = 0;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const Night night = MakeNight(seed, NightKind::kCalm);
    governor = std::max(governor, By(DriverKind::kGovernor, night).crossed);
    stop_and_go = std::max(stop_and_go, By(DriverKind::kStopGo, night).crossed);
  }
  EXPECT_LT(governor, 0.01);
  EXPECT_GT(stop_and_go, 0.02);
}

}  // namespace
}  // namespace hakobu::plant
