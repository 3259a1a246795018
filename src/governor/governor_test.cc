#include "governor/governor.h"

#include <gtest/gtest.h>

#include <cmath>

#include "governor/page_tokens.h"

namespace hakobu {
namespace {

constexpr double kNow = 1'000'000'000;

TEST(Storage, PriorsFollowTheVendorsFormulas) {
  const StoragePrior small = PriorOf({.type = StorageType::kGp2, .size_gib = 20});
  EXPECT_DOUBLE_EQ(small.baseline_iops, 100);
  EXPECT_DOUBLE_EQ(small.burst_iops, 3'000);
  EXPECT_DOUBLE_EQ(small.bucket, 5'400'000);
  const StoragePrior striped = PriorOf({.type = StorageType::kGp2, .size_gib = 400});
  EXPECT_DOUBLE_EQ(striped.baseline_iops, 1'200);
  EXPECT_DOUBLE_EQ(striped.burst_iops, 12'000);
  EXPECT_DOUBLE_EQ(striped.bucket, 21'600'000);
  const StoragePrior one = PriorOf({.type = StorageType::kGp2, .size_gib = 1'200, .volumes = 1});
  EXPECT_DOUBLE_EQ(one.bucket, 0) << "a volume whose baseline is the burst has no bucket";
  EXPECT_DOUBLE_EQ(one.burst_iops, 3'600);
  EXPECT_DOUBLE_EQ(PriorOf({.type = StorageType::kGp3, .size_gib = 100}).baseline_iops, 3'000);
  EXPECT_DOUBLE_EQ(PriorOf({.type = StorageType::kGp3, .size_gib = 500}).baseline_iops, 12'000);
  EXPECT_DOUBLE_EQ(PriorOf({.type = StorageType::kIo2, .provisioned_iops = 9'000}).burst_iops, 9'000);
  EXPECT_DOUBLE_EQ(PriorOf({.type = StorageType::kAurora}).dollars_per_million, 0.20);
  EXPECT_DOUBLE_EQ(PriorOf({.type = StorageType::kAurora, .io_optimized = true}).dollars_per_million, 0);
  EXPECT_DOUBLE_EQ(InstancePrior(1'000, 4'000).bucket, 3'000 * 1'800);
}

TEST(CreditModel, LearnsTheVolumeThatItWasNotTold) {
  const StoragePrior prior = PriorOf({.type = StorageType::kGp2, .size_gib = 30});
  CreditModel model(prior);
  const double baseline = 380;  // not 100
  double level = 0.9, at = kNow;
  for (int minute = 0; minute < 240; ++minute) {
    // Both change, or no one could tell what fills and what drains.
    const double iops = minute % 40 < 20 ? 900 : 50;
    for (int second = 0; second < 60; second += 5, at += 5) model.Spend(at + 5, iops * 5);
    level += (baseline - iops) * 60 / prior.bucket;
    if (minute % 3 == 0) model.See(at - 120, level - (baseline - iops) * 120 / prior.bucket);
  }
  EXPECT_NEAR(model.refill() * prior.bucket, baseline, 0.1 * baseline);
  EXPECT_NEAR(model.cost() * prior.bucket, 1, 0.1);
  EXPECT_NEAR(model.level(), level, 0.02);
  EXPECT_LT(model.fit().doubt, 0.2);
}

TEST(CreditModel, AnOldBalanceIsCarriedToNow) {
  CreditModel model({.baseline_iops = 300, .burst_iops = 3'000, .bucket = 5'400'000});
  for (int second = 0; second <= 600; ++second) model.Spend(kNow + second, second == 0 ? 0 : 2'000);
  EXPECT_FALSE(model.seen());
  model.See(kNow + 300, 0.5);
  EXPECT_NEAR(model.level(), 0.5 - 300 * (2'000.0 - 300) / 5'400'000, 1e-6);
  EXPECT_NEAR(model.Age(kNow + 600), 300, 1e-9);
  const double level = model.level();
  model.See(kNow + 100, 0.9);
  EXPECT_EQ(model.level(), level) << "what is older than what is known teaches nothing";
}

TEST(AppLoad, AWeekdayThatWasNotSeenTakesOtherDaysAtThatTime) {
  std::vector<LoadSample> samples;
  for (uint32_t week = 0; week < 4; ++week) samples.push_back({SlotOf(24 + 21), 900 + 10.0 * week});
  samples.push_back({SlotOf(3), 50});
  samples.push_back({SlotOf(24 + 20.9), 280});
  const AppLoad load(samples);
  EXPECT_NEAR(load.Usual(24 + 21), 915, 1e-9);
  EXPECT_GT(load.High(24 + 21), load.Usual(24 + 21));
  EXPECT_NEAR(load.Usual(72 + 21), 915, 1e-9);
  EXPECT_NEAR(load.Usual(96 + 3), 50, 1e-9);
  const LoadForecast forecast = Foresee(load, 24 + 20.9, 300, 30);
  EXPECT_NEAR(forecast.usual[0], 300, 1e-9) << "what is measured now counts first";
  EXPECT_GT(forecast.usual[10], 700) << "and the sale is foreseen";
}

PlanQuestion Question(double level, double load, double work) {
  PlanQuestion question;
  question.load.usual.assign(600, load);
  question.load.high.assign(600, load);
  question.buckets = {{.level = level, .refill = 300 / 5.4e6, .cost = 1 / 5.4e6, .floor = 0.2}};
  question.most_iops = 3'000;
  question.own_most_iops = 2'500;
  question.work = {{.name = "all", .operations = work, .promise = 5 * 3600}};
  return question;
}

TEST(Plan, SpendsWhatIsSpareAndThenWhatRefills) {
  EXPECT_DOUBLE_EQ(PlanRate(Question(0.9, 100, 5e6)).rate, 2'500);
  EXPECT_NEAR(PlanRate(Question(0.2, 100, 5e6)).rate, 200, 1)
      << "at the floor: the baseline less the application";
  EXPECT_DOUBLE_EQ(PlanRate(Question(0.1, 400, 5e6)).rate, 0);
  EXPECT_EQ(PlanRate(Question(0.2, 100, 5e6)).held_by, std::optional<size_t>(0));
}

TEST(Plan, KeepsCreditsForWhatTheApplicationWillNeed) {
  PlanQuestion question = Question(0.5, 100, 5e6);
  for (size_t minute = 60; minute < 120; ++minute) question.load.high[minute] = 800;
  const double least = LeastLevels(question.buckets[0], question.load.high)[0];
  // 500 above the baseline for an hour, less what refills until then.
  EXPECT_NEAR(least, std::max(0.2, 0.2 + (500.0 * 3600 - 200.0 * 3600) / 5.4e6), 1e-6);
  question.buckets[0].level = least;
  EXPECT_NEAR(PlanRate(question).rate, 0, 250) << "only what refills, if that";
}

TEST(Plan, SaysWhatAPromiseLacks) {
  const Outlook kept = ForeseeArrivals(Question(0.9, 100, 4e6));
  ASSERT_EQ(kept.arrivals.size(), 1u);
  EXPECT_TRUE(kept.feasible);
  EXPECT_LE(kept.arrivals[0].p50, kept.arrivals[0].p90);
  // 0.7 of 5.4 M, and 200 a second for five hours, are 7.4 M.
  const Outlook lacks = ForeseeArrivals(Question(0.9, 100, 8.4e6));
  EXPECT_FALSE(lacks.feasible);
  EXPECT_NEAR(lacks.missing_operations, 1e6, 0.05e6);
  PlanQuestion hour = Question(0.21, 100, 9e6);
  hour.when_infeasible = WhenInfeasible::kProtectHour;
  EXPECT_NEAR(PlanRate(hour).rate, 9e6 * 1.03 / (5 * 3600), 1);
  EXPECT_TRUE(PlanRate(hour).over_budget);
  PlanQuestion dollars = Question(0.9, 100, 4e6);
  dollars.buckets.clear();
  dollars.operations_left = 3e6;
  EXPECT_FALSE(ForeseeArrivals(dollars).feasible);
}

TEST(InnerLoop, FollowsUtilisation) {
  InnerLoop loop(60);
  double now = kNow;
  const double begun = loop.share();
  for (int i = 0; i < 40; ++i) loop.Step(++now, 0.1);
  EXPECT_GT(loop.share(), begun);
  EXPECT_DOUBLE_EQ(loop.share(), 1);
  for (int i = 0; i < 10; ++i) loop.Step(++now, 0.6);
  EXPECT_DOUBLE_EQ(loop.share(), 1) << "between 0.4 and 0.7 it stays";
  now += 120;
  loop.Step(now, 0.8);
  EXPECT_DOUBLE_EQ(loop.share(), 0.9);
  loop.Step(now += 5, 1.2);
  EXPECT_DOUBLE_EQ(loop.share(), 0.45);
  for (int i = 0; i < 100; ++i) loop.Step(++now, 0.1);
  EXPECT_DOUBLE_EQ(loop.share(), 0.45) << "growth after a breach waits twice the cooldown";
  for (int i = 0; i < 60; ++i) loop.Step(++now, 0.1);
  EXPECT_GT(loop.share(), 0.9);
}

TEST(Signals, MissingIsNeitherFineNorABreach) {
  Signals signals({{.name = "threads_running", .limit = 40, .blind_after = 60},
                   {.name = "replica_lag", .kind = SignalKind::kStop, .limit = 30, .blind_after = 60}},
                  kNow);
  EXPECT_FALSE(signals.Judge(kNow + 50).stop) << "nobody has looked yet";
  EXPECT_TRUE(signals.Judge(kNow + 61).blind);
  signals.See(0, kNow + 61, 20);
  signals.See(1, kNow + 61, 1);
  EXPECT_FALSE(signals.Judge(kNow + 61).stop);
  EXPECT_DOUBLE_EQ(signals.Judge(kNow + 61).utilisation, 0.5);
  EXPECT_EQ(signals.Judge(kNow + 61).highest, "threads_running");
  EXPECT_FALSE(signals.Judge(kNow + 120).stop) << "a late minute stops no night";
  EXPECT_TRUE(signals.Judge(kNow + 122).stop);
}

TEST(Signals, AStopEndsWhenItHasBeenCalmForAWhile) {
  Signals signals({{.name = "replica_lag", .kind = SignalKind::kStop, .limit = 30}}, kNow);
  double now = kNow;
  const auto at = [&](double value) {
    signals.See(0, ++now, value);
    return signals.Judge(now).stop;
  };
  EXPECT_FALSE(at(29));
  EXPECT_TRUE(at(31));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(at(27)) << "not calm yet: above 0.8 of the limit";
  for (int i = 0; i < 29; ++i) EXPECT_TRUE(at(5));
  EXPECT_FALSE(at(5));
}

TEST(ReasonLedger, TheSumIsTheWallTime) {
  ReasonLedger ledger(kNow);
  ledger.Book(kNow + 10, Reason::kFullSpeed);
  ledger.Book(kNow + 9, Reason::kLock);  // a clock that went back
  ledger.Book(kNow + 25, Reason::kCredits);
  ledger.Book(kNow + 25.5, Reason::kCredits);
  double sum = 0;
  for (const double seconds : ledger.seconds()) sum += seconds;
  EXPECT_DOUBLE_EQ(sum, ledger.wall());
  EXPECT_DOUBLE_EQ(ledger.wall(), 25.5);
  EXPECT_DOUBLE_EQ(ledger.Seconds(Reason::kCredits), 15.5);
  EXPECT_DOUBLE_EQ(ledger.Seconds(Reason::kLock), 0);
}

TEST(PageTokens, ChunksKeepTheRate) {
  PageTokens tokens(kNow);
  EXPECT_TRUE(std::isinf(tokens.Wait(kNow)));
  tokens.SetRate(kNow, 100);
  EXPECT_DOUBLE_EQ(tokens.Wait(kNow), 0);
  tokens.Charge(kNow, 1'000);
  EXPECT_DOUBLE_EQ(tokens.Wait(kNow), 10);
  tokens.Charge(kNow + 5, -200);
  EXPECT_DOUBLE_EQ(tokens.Wait(kNow + 5), 3);
  EXPECT_DOUBLE_EQ(tokens.Wait(kNow + 1'000), 0);
  tokens.Charge(kNow + 1'000, 1'000);
  EXPECT_DOUBLE_EQ(tokens.Wait(kNow + 1'000), 8) << "two seconds are saved up, no more";
}

GovernorOptions Options() {
  GovernorOptions options;
  options.start = kNow;
  options.until = kNow + 8 * 3600;
  options.buckets = {{.name = "BurstBalance",
                      .prior = PriorOf({.type = StorageType::kGp2, .size_gib = 100}),
                      .earlier = std::nullopt,
                      .floor = 0.2}};
  options.signals = {{.name = "replica_lag", .kind = SignalKind::kStop, .limit = 30}};
  options.own_most_iops = 2'000;
  return options;
}

TEST(Governor, WhatIsNotSeenIsNotSpent) {
  Governor governor(Options());
  governor.SetWork({{.name = "t", .operations = 5e6}});
  Decision decision;
  double now = kNow;
  const auto second = [&](bool balance) {
    governor.SeeOperations(++now, 100, 0);
    governor.SeeSignal(0, now, 0);
    if (balance) governor.SeeBalance(0, now - 100, 0.9);
    decision = governor.Tick(now);
  };
  second(false);
  EXPECT_LE(decision.rate, 201) << "a balance that was never seen is not spent";
  for (int i = 0; i < 120; ++i) second(true);
  EXPECT_NEAR(decision.rate, 2'000, 1);
  EXPECT_EQ(decision.reason, Reason::kFullSpeed);
  for (int i = 0; i < 700; ++i) second(false);
  EXPECT_NEAR(decision.rate, 2'000, 1) << "a late balance stops no night";
  for (int i = 0; i < 300; ++i) second(false);
  EXPECT_LE(decision.rate, 201);
  EXPECT_EQ(decision.reason, Reason::kBlind);
}

TEST(Governor, APersonsWordComesAtOnce) {
  Governor governor(Options());
  governor.SetWork({{.name = "t", .operations = 5e6}});
  double now = kNow;
  Decision decision;
  for (int i = 0; i < 60; ++i) {
    governor.SeeOperations(++now, 100, 0);
    governor.SeeSignal(0, now, 0);
    governor.SeeBalance(0, now - 100, 0.9);
    decision = governor.Tick(now);
  }
  governor.Throttle(0.25);
  decision = governor.Tick(++now);
  EXPECT_NEAR(decision.rate, 500, 1);
  EXPECT_EQ(decision.reason, Reason::kPerson);
  governor.Throttle(0);
  EXPECT_DOUBLE_EQ(governor.Tick(++now).rate, 0);
  governor.SeeSignal(0, ++now, 31);
  governor.Throttle(1);
  decision = governor.Tick(now);
  EXPECT_DOUBLE_EQ(decision.rate, 0);
  EXPECT_EQ(decision.reason, Reason::kReplicaLag);
}

}  // namespace
}  // namespace hakobu
