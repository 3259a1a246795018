#include "notify/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hakobu {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const NoticeOrigin kOrigin{.ledger_id = "l", .config_path = "shop.yaml", .host = "h"};

// A ledger that is only the alerts.
class JudgeTest : public ::testing::Test {
 protected:
  JudgeTest() {
    config_.channels.resize(2);
    config_.channels[0].name = "all";
    config_.channels[1].name = "pager";
    config_.channels[1].least = NoticeLevel::kCritical;
  }
  // "raised all run:x": what is told.
  std::vector<std::string> See(absl::Duration at, std::vector<Condition> present,
                               absl::Duration settle = absl::ZeroDuration()) {
    const Observation observation{std::move(present), {"run:*"}, settle};
    const AlertChanges changes = Judge(alerts_, observation, config_, kOrigin, kNow + at);
    for (const AlertRecord& alert : changes.alerts) {
      std::erase_if(alerts_, [&](const AlertRecord& known) { return known.cause == alert.cause; });
      alerts_.push_back(alert);
    }
    std::vector<std::string> told;
    for (const NoticeRecord& notice : changes.notices) {
      const auto event = nlohmann::json::parse(notice.event_json);
      told.push_back(event["event"].get<std::string>() + " " + notice.channel + " " + notice.cause);
      keys_.push_back(event["key"]);
    }
    return told;
  }

  NotifyConfig config_;
  std::vector<AlertRecord> alerts_;
  std::vector<std::string> keys_;
};

const Condition kTable{"run:table:a.b", NoticeLevel::kCritical, "a.b was not delivered", "why"};
const Condition kValues{"run:values:a.b", NoticeLevel::kWarning, "values", ""};

TEST_F(JudgeTest, ACauseIsToldOnceAndWhenItIsOver) {
  EXPECT_THAT(See(absl::Hours(0), {kTable}),
              ElementsAre("raised all run:table:a.b", "raised pager run:table:a.b"));
  EXPECT_THAT(See(absl::Hours(1), {kTable}), IsEmpty());
  EXPECT_THAT(See(absl::Hours(2), {kTable}), IsEmpty());
  EXPECT_THAT(See(absl::Hours(3), {}),
              ElementsAre("recovered all run:table:a.b", "recovered pager run:table:a.b"));
  EXPECT_THAT(See(absl::Hours(4), {}), IsEmpty());
  EXPECT_EQ(keys_[0], keys_[2]) << "a recovery belongs to what it ends";
}

TEST_F(JudgeTest, WhatLastsIsToldAgainEachDay) {
  See(absl::Hours(0), {kTable});
  EXPECT_THAT(See(absl::Hours(22), {kTable}), IsEmpty());
  EXPECT_THAT(See(absl::Minutes(23 * 60 + 30), {kTable}),
              ElementsAre("lasting all run:table:a.b", "lasting pager run:table:a.b"))
      << "a night that ends earlier than the last one";
  EXPECT_THAT(See(absl::Hours(25), {kTable}), IsEmpty());
  EXPECT_THAT(See(absl::Hours(48), {kTable}), SizeIs(2));
  config_.again = absl::ZeroDuration();
  EXPECT_THAT(See(absl::Hours(480), {kTable}), IsEmpty());
}

TEST_F(JudgeTest, ALevelBelowTheChannelsIsNotToldThere) {
  EXPECT_THAT(See(absl::Hours(0), {kValues}), ElementsAre("raised all run:values:a.b"));
  Condition worse = kValues;
  worse.level = NoticeLevel::kCritical;
  EXPECT_THAT(See(absl::Hours(1), {worse}), ElementsAre("raised pager run:values:a.b")) << "the other knows";
  EXPECT_THAT(See(absl::Hours(2), {worse}), IsEmpty());
  EXPECT_THAT(See(absl::Hours(3), {}), SizeIs(2));
}

TEST_F(JudgeTest, OfWhatNobodyLookedAtNothingIsKnown) {
  See(absl::Hours(0), {kTable});
  const Observation other{{}, {"run:table:a.c", "run:values:*", "stream:*"}, {}};
  EXPECT_TRUE(Judge(alerts_, other, config_, kOrigin, kNow + absl::Hours(1)).empty());
}

TEST_F(JudgeTest, WhatIsGoneForAMomentIsNotOver) {
  See(absl::Seconds(0), {kTable}, absl::Minutes(2));
  EXPECT_THAT(See(absl::Seconds(10), {}, absl::Minutes(2)), IsEmpty());
  EXPECT_THAT(See(absl::Seconds(60), {kTable}, absl::Minutes(2)), IsEmpty());
  EXPECT_THAT(See(absl::Seconds(130), {}, absl::Minutes(2)), IsEmpty()) << "counts from here anew";
  EXPECT_THAT(See(absl::Seconds(240), {}, absl::Minutes(2)), IsEmpty());
  EXPECT_THAT(See(absl::Seconds(250), {}, absl::Minutes(2)), SizeIs(2));
}

TEST_F(JudgeTest, WhatFlapsByTheHourIsTwoEpisodesANight) {
  size_t told = 0;
  for (int hour = 0; hour < 10; ++hour) {
    told += See(absl::Hours(hour), hour % 2 == 0 ? std::vector{kTable} : std::vector<Condition>{}).size();
  }
  EXPECT_EQ(told, 2u * 3u) << "raised, over, raised";
  EXPECT_NE(keys_[0], keys_[4]);
  EXPECT_THAT(See(absl::Hours(11), {}), SizeIs(2)) << "away for longer than it is used to be";
}

TEST_F(JudgeTest, NightAfterNightEachRecoveryIsTold) {
  for (int night = 0; night < 6; ++night)
    EXPECT_THAT(See(absl::Hours(24 * night), night % 2 == 0 ? std::vector{kTable} : std::vector<Condition>{}),
                SizeIs(2));
}

TEST_F(JudgeTest, AChangedDetailIsKeptWithoutAMessage) {
  See(absl::Hours(0), {kTable});
  Condition other = kTable;
  other.detail = std::string(5000, 'x') + "語";
  EXPECT_THAT(See(absl::Hours(1), {other}), IsEmpty());
  EXPECT_LT(alerts_[0].detail.size(), 2100u);
}

TEST_F(JudgeTest, WithoutChannelsAlertsAreKept) {
  config_.channels.clear();
  EXPECT_THAT(See(absl::Hours(0), {kTable}), IsEmpty());
  EXPECT_THAT(alerts_, SizeIs(1));
}

TEST(NextTry, GrowsAndObeysTheReceiver) {
  EXPECT_EQ(NextTry(1, {}, kNow), kNow + absl::Seconds(5));
  EXPECT_EQ(NextTry(3, {}, kNow), kNow + absl::Seconds(20));
  EXPECT_EQ(NextTry(1000, {}, kNow), kNow + absl::Minutes(15));
  EXPECT_EQ(NextTry(1, absl::Minutes(1), kNow), kNow + absl::Minutes(1));
  EXPECT_EQ(NextTry(1, absl::Hours(99), kNow), kNow + absl::Hours(1));
}

}  // namespace
}  // namespace hakobu
