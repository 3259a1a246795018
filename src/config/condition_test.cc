#include "config/condition.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

TEST(Condition, TakesWhatStaysInItsParentheses) {
  for (const char* condition :
       {"company_id = 1", "(a = 1 OR b = 2)", "name = 'it''s ) OR ('", "name = \"a)b\"", "`odd)name` = 1",
        "a = 1 -- the rest ) is a comment", "a = 1 # ) too", "a IN (SELECT id FROM t WHERE (x = 1))",
        "a /* ) */ = 1", "a --1 = 2", "name LIKE 'a\\\\%'", "name = '会員)'"}) {
    EXPECT_FALSE(FaultOfCondition(condition).has_value()) << condition;
  }
}

TEST(Condition, RefusesWhatWouldLeaveThem) {
  for (const char* condition :
       {"1 = 1) OR (1 = 1", "a = 1)", "(a = 1", "a = 1; DROP TABLE t", "name = 'open", "`a = 1",
        "a = 1 /* open", "a = 1 /*! ) OR ( 1 = 1 */", "a = 1 /*M! ) OR ( 1 = 1 */",
        "a /*+ NO_INDEX(t) */ = 1", "name = 'x\\') OR (1 = 1) -- '", "name = \"x\\\" OR 1 = 1",
        "a --1) OR (1 = 1"}) {
    EXPECT_TRUE(FaultOfCondition(condition).has_value()) << condition;
  }
}

TEST(Condition, BothHoldWhateverEitherEndsIn) {
  EXPECT_EQ(BothConditions("a = 1 -- one", "b = 1 OR c = 1"), "(a = 1 -- one\n) AND (b = 1 OR c = 1\n)");
  EXPECT_EQ(BothConditions("", "b"), "b");
  EXPECT_EQ(BothConditions("a", ""), "a");
}

}  // namespace
}  // namespace hakobu
