#include "delivery/stream/sequence.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

TEST(Sequence, WritesHexSections) {
  EXPECT_EQ(SequenceText({1, 4, 0x1a2b, 0}), "1/4/1A2B/0");
  EXPECT_EQ(SequenceText({0x10, 0xff, ~uint64_t{0}, 0x100000002}), "10/FF/FFFFFFFFFFFFFFFF/100000002");
  EXPECT_EQ(SortableSequence({1, 4, 0x1a2b, 7}),
            "0000000000000001/0000000000000004/0000000000001A2B/0000000000000007");
}

TEST(Sequence, CopiedRowsLieBetween) {
  const LogPlace copy = JustBefore(2, 5, 1000);
  EXPECT_LT(copy, (LogPlace{2, 5, 1000, 0}));
  EXPECT_GT(copy, (LogPlace{2, 5, 980, ~uint64_t{0}}));
  EXPECT_LT(JustBefore(2, 5, 0), (LogPlace{2, 5, 0, 0}));
}

TEST(Sequence, FileNumbers) {
  EXPECT_EQ(FileNumber("binlog.000041"), 41U);
  EXPECT_EQ(FileNumber("mysql-bin-changelog.1234567"), 1234567U);
  EXPECT_EQ(FileNumber("binlog"), 0U);
}

TEST(Sequence, IsReadBackFromBothForms) {
  const LogPlace place{3, 0x29, 0xFFFFFFFFFF, ~uint64_t{0}};
  EXPECT_EQ(ParseSequence(SequenceText(place)), place);
  EXPECT_EQ(ParseSequence(SortableSequence(place)), place);
}

}  // namespace
}  // namespace hakobu
