#include "encode/content_sum.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

ContentSum SumOf(std::initializer_list<std::string_view> rows) {
  ContentSum sum;
  for (const std::string_view row : rows) sum.Add(row);
  return sum;
}

TEST(ContentSum, TheOrderOfRowsAndChunksDoesNotMatter) {
  EXPECT_EQ(SumOf({"a", "b", "c"}), SumOf({"c", "a", "b"}));
  ContentSum chunks = SumOf({"c"});
  chunks.Add(SumOf({"b", "a"}));
  EXPECT_EQ(chunks, SumOf({"a", "b", "c"}));
}

TEST(ContentSum, EveryOtherSetOfRowsIsAnother) {
  const ContentSum sum = SumOf({"a", "b", "c"});
  EXPECT_FALSE(sum == SumOf({"a", "b"}));
  EXPECT_FALSE(sum == SumOf({"a", "b", "d"}));
  EXPECT_FALSE(sum == SumOf({"ab", "", "c"}));
  EXPECT_FALSE(SumOf({"a", "a", "b"}) == SumOf({"a", "b", "b"}));
  EXPECT_FALSE(SumOf({""}) == ContentSum());
}

// The ledger keeps sums over restarts and new versions: the hash is the published one, whatever the machine.
TEST(ContentSum, IsXxh3) {
  EXPECT_EQ(SumOf({""}).sum, 0x2D06800538D394C2u);
}

}  // namespace
}  // namespace hakobu
