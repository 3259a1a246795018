#include "governor/explain.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

NightFacts Usual() {
  NightFacts night{.seconds = 3'660, .rows = 1e6, .rows_examined = 1e6, .chunks = 100, .retries = 1};
  night.by_reason[static_cast<size_t>(Reason::kFullSpeed)] = 3'500;
  night.by_reason[static_cast<size_t>(Reason::kDestination)] = 100;
  night.by_reason[static_cast<size_t>(Reason::kPublish)] = 60;
  return night;
}

NightFacts With(Reason reason, double seconds) {
  NightFacts night = Usual();
  night.by_reason[static_cast<size_t>(reason)] += seconds;
  night.by_reason[static_cast<size_t>(Reason::kCheck)] += 20;
  night.seconds += seconds + 20;
  return night;
}

std::vector<Cause> Of(const NightFacts& night) {
  return Explain(night, {Usual(), Usual(), With(Reason::kNetwork, 40), Usual(), Usual()});
}

TEST(Explain, TheReasonThatTookTheMostComesFirst) {
  for (const Reason reason : {Reason::kCredits, Reason::kReplicaLag, Reason::kQuota, Reason::kLock,
                              Reason::kDestination, Reason::kPerson}) {
    const std::vector<Cause> causes = Of(With(reason, 900));
    ASSERT_EQ(causes.size(), 1u) << NameOf(reason);
    EXPECT_EQ(causes[0].kind, CauseKind::kReason);
    EXPECT_EQ(causes[0].reason, reason);
    EXPECT_NEAR(causes[0].seconds, 900, 1);
  }
}

TEST(Explain, AnIndexThatIsMissing) {
  NightFacts night = With(Reason::kFullSpeed, 2'000);
  night.rows_examined = 9e6;
  ASSERT_FALSE(Of(night).empty());
  EXPECT_EQ(Of(night)[0].kind, CauseKind::kMoreExamined);
}

TEST(Explain, ATableThatGrew) {
  NightFacts night = With(Reason::kFullSpeed, 2'000);
  night.rows = night.rows_examined = 1.6e6;
  ASSERT_EQ(Of(night).size(), 1u);
  EXPECT_EQ(Of(night)[0].kind, CauseKind::kMoreRows);
}

TEST(Explain, AStormOfRetries) {
  NightFacts night = With(Reason::kNetwork, 900);
  night.retries = 80;
  ASSERT_FALSE(Of(night).empty());
  EXPECT_EQ(Of(night)[0].kind, CauseKind::kRetries);
}

TEST(Explain, AGoodNightHasNoCause) {
  EXPECT_TRUE(Of(Usual()).empty());
  EXPECT_TRUE(Explain(Usual(), {}).empty()) << "what is usual is not known, and nothing held it";
}

}  // namespace
}  // namespace hakobu
