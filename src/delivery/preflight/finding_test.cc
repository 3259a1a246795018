#include "delivery/preflight/finding.h"

#include <gtest/gtest.h>

#include "base/status.h"

namespace hakobu {
namespace {

TEST(Findings, ATablesProblemIsItsOwn) {
  Findings findings;
  findings.AddStatus("shop.members", absl::DataLossError("shop.members: would lose rows; hint: do not"));
  findings.Add(FindingLevel::kWarning, "shop.plans", "slow");
  EXPECT_TRUE(findings.has_problems());
  EXPECT_TRUE(findings.GeneralProblems().ok());
  EXPECT_TRUE(findings.HasProblemOf("shop.members"));
  EXPECT_FALSE(findings.HasProblemOf("shop.plans"));
  const absl::Status status = findings.ProblemsOf("shop.members");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(View(status.message()), "shop.members: would lose rows; hint: do not");
  findings.AddStatus("source", absl::UnavailableError("away"));
  EXPECT_EQ(findings.GeneralProblems().code(), absl::StatusCode::kUnavailable);
}

TEST(Findings, AListIsTakenApartAndSaidOnce) {
  Findings findings;
  for (int i = 0; i < 2; ++i) {
    findings.AddStatus("shop.a",
                       absl::InvalidArgumentError("2 problems\n  - shop.a: one; hint: h\n  - shop.a: two"));
  }
  ASSERT_EQ(findings.list().size(), 2u);
  EXPECT_EQ(findings.list()[0].text, "one");
  EXPECT_EQ(findings.list()[0].hint, "h");
  EXPECT_EQ(findings.list()[1].text, "two");
}

}  // namespace
}  // namespace hakobu
