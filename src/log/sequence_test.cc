#include "log/sequence.h"

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
  const ChangeSequence copy = JustBefore({2, 5, 1000, 0});
  EXPECT_LT(copy, (ChangeSequence{2, 5, 1000, 0}));
  EXPECT_GT(copy, (ChangeSequence{2, 5, 980, ~uint64_t{0}}));
  EXPECT_LT(JustBefore({2, 5, 0, 0}), (ChangeSequence{2, 5, 0, 0}));
}

TEST(Sequence, IsOfAPoint) {
  EXPECT_EQ(ChangeSequence::At(LogPoint::At("binlog.000041", 157), 3), (ChangeSequence{3, 41, 157, 0}));
  EXPECT_EQ(ChangeSequence::At(LogPoint::At("binlog", 157), 3), (ChangeSequence{3, 0, 157, 0}));
}

TEST(Sequence, BeforeTheFirstPlaceOfAllIsNothing) {
  EXPECT_EQ(JustBefore({7, 0, 0, 0}), (ChangeSequence{7, 0, 0, 0}));
  EXPECT_EQ(JustBefore({7, 3, 0, 0}), (ChangeSequence{7, 2, ~uint64_t{0}, ~uint64_t{0}}));
}

TEST(Sequence, IsReadBackFromBothForms) {
  const ChangeSequence place{3, 0x29, 0xFFFFFFFFFF, ~uint64_t{0}};
  EXPECT_EQ(ParseSequence(SequenceText(place)), place);
  EXPECT_EQ(ParseSequence(SortableSequence(place)), place);
}

}  // namespace
}  // namespace hakobu
