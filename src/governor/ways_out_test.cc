#include "governor/ways_out.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

TEST(WaysOut, SayWhatEachWouldBring) {
  PlanQuestion question;
  question.load.usual.assign(1'200, 200);
  question.load.high.assign(1'200, 250);
  question.buckets = {{.level = 0.5, .refill = 300 / 5.4e6, .cost = 1 / 5.4e6, .floor = 0.2}};
  question.most_iops = 3'000;
  question.own_most_iops = 2'500;
  question.work = {{.name = "all", .operations = 6e6, .promise = 3 * 3600}};
  ASSERT_FALSE(ForeseeArrivals(question).feasible);
  const std::vector<WayOut> ways = WaysOut(question, 100);
  ASSERT_EQ(ways.size(), 3u);
  EXPECT_TRUE(ways[0].keeps) << "gp3: 2,500 a second to the end";
  EXPECT_NEAR(ways[0].arrival, 6e6 / 2'500, 60);
  const double now = ForeseeArrivals(question).arrivals[0].p50;
  EXPECT_LT(ways[1].arrival, now) << "a replica: a full bucket, and nobody else";
  EXPECT_TRUE(ways[1].keeps);
  EXPECT_LT(ways[2].arrival, now);
  EXPECT_FALSE(ways[2].keeps);
}

}  // namespace
}  // namespace hakobu
