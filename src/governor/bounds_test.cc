// Where the laws turn: at a bound itself, not only on both sides of it.
#include <gtest/gtest.h>

#include "governor/inner_loop.h"
#include "governor/signals.h"
#include "governor/storage.h"

namespace hakobu {
namespace {

constexpr double kNow = 1'000'000;

TEST(Bounds, AnInstanceThatCannotBurstHasNoBucket) {
  const StoragePrior bursting = InstancePrior(1'000, 4'000);
  EXPECT_DOUBLE_EQ(bursting.baseline_iops, 1'000);
  EXPECT_DOUBLE_EQ(bursting.burst_iops, 4'000);
  const StoragePrior steady = InstancePrior(4'000, 1'000);
  EXPECT_DOUBLE_EQ(steady.burst_iops, 4'000);
  EXPECT_DOUBLE_EQ(steady.bucket, 0);
}

TEST(Bounds, AtItsCalmPartASignalIsCalm) {
  Signals signals({{.name = "lag", .kind = SignalKind::kStop, .limit = 30, .calm_for = 10, .calm_part = 0.5}},
                  kNow);
  double now = kNow;
  const auto at = [&](double value) {
    signals.See(0, ++now, value);
    return signals.Judge(now).stop;
  };
  EXPECT_TRUE(at(30)) << "the limit itself stops";
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(at(15));
  EXPECT_FALSE(at(15));
}

TEST(Bounds, WhereGrowthEndsTheShareStays) {
  InnerLoop loop(60);
  double now = kNow;
  const double begun = loop.share();
  for (int i = 0; i < 20; ++i) loop.Step(++now, 0.4);
  EXPECT_DOUBLE_EQ(loop.share(), begun);
  for (int i = 0; i < 200; ++i) loop.Step(++now, 0.7);
  EXPECT_DOUBLE_EQ(loop.share(), begun);
  for (int i = 0; i < 4; ++i) loop.Step(++now, 0.39);
  EXPECT_GT(loop.share(), begun);
}

}  // namespace
}  // namespace hakobu
