#include "base/glob.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

TEST(Glob, StarAndQuestionMark) {
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_TRUE(GlobMatches("a*b*c", "a__b_bc"));
  EXPECT_TRUE(GlobMatches("log_????", "log_2026"));
  EXPECT_FALSE(GlobMatches("log_????", "log_26"));
  EXPECT_FALSE(GlobMatches("a*b", "a_bc"));
  EXPECT_FALSE(GlobMatches("", "a"));
}

}  // namespace
}  // namespace hakobu
