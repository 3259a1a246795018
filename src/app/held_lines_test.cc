#include "app/held_lines.h"

#include <gtest/gtest.h>

#include <string>

namespace hakobu {
namespace {

std::string All(HeldLines* held) {
  std::string text;
  EXPECT_TRUE(held->TakeAll([&](std::string_view piece) {
                    text += piece;
                    return absl::OkStatus();
                  })
                  .ok());
  return text;
}

// In memory, and with all but the last line on disk.
class HeldLinesTest : public ::testing::TestWithParam<size_t> {
 protected:
  void Add(const std::string& text) { ASSERT_TRUE(held_.Add(text).ok()); }
  HeldLines held_{GetParam()};
};

TEST_P(HeldLinesTest, WhatCameSinceASavepointIsTakenBack) {
  held_.SetSavepoint("a");
  Add("one\n");
  held_.SetSavepoint("b");
  Add("two\n");
  EXPECT_TRUE(held_.RollBackTo("B")) << "letters' case does not matter";
  Add("three\n");
  EXPECT_TRUE(held_.RollBackTo("b")) << "it stays";
  Add("four\n");
  EXPECT_EQ(All(&held_), "one\nfour\n");
  EXPECT_EQ(All(&held_), "");
}

TEST_P(HeldLinesTest, LaterSavepointsGoWithTheRowsAndNamesAreSetAnew) {
  held_.SetSavepoint("a");
  Add("one\n");
  held_.SetSavepoint("b");
  EXPECT_TRUE(held_.RollBackTo("a"));
  EXPECT_FALSE(held_.RollBackTo("b"));
  EXPECT_FALSE(held_.RollBackTo("none"));
  Add("two\n");
  held_.SetSavepoint("a");
  Add("three\n");
  EXPECT_TRUE(held_.RollBackTo("a"));
  EXPECT_EQ(All(&held_), "two\n");
}

TEST_P(HeldLinesTest, ManyLinesStayInOrder) {
  std::string expected;
  held_.SetSavepoint("s");
  for (int i = 0; i < 5000; ++i) {
    Add("line " + std::to_string(i) + "\n");
    expected += "line " + std::to_string(i) + "\n";
    held_.SetSavepoint("each");
    Add("undone\n");
    ASSERT_TRUE(held_.RollBackTo("each"));
  }
  EXPECT_EQ(All(&held_), expected);
}

INSTANTIATE_TEST_SUITE_P(Sizes, HeldLinesTest, ::testing::Values(size_t{1} << 20, 1000, 0));

}  // namespace
}  // namespace hakobu
