#include "delivery/outlying_values.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hakobu {
namespace {

std::vector<std::string> Descending(int64_t from, size_t count, int64_t step = 1) {
  std::vector<std::string> values;
  for (size_t i = 0; i < count; ++i) values.push_back(std::to_string(from - static_cast<int64_t>(i) * step));
  return values;
}

std::vector<std::string> Above(std::vector<std::string> values, std::vector<std::string> others) {
  values.insert(values.end(), others.begin(), others.end());
  values.resize(std::min(values.size(), kLargestValues));
  return values;
}

TEST(OutlyingValues, AFewThatLieFarAboveAllOthersAreFound) {
  EXPECT_EQ(CountOutlying(Above({"9223372036854775807"}, Descending(500, 300))), 1u);
  EXPECT_EQ(CountOutlying(Above({"18446744073709551615", "18446744073709551615", "4611686018427387904"},
                                Descending(1'000'000, 300))),
            3u);
  EXPECT_EQ(CountOutlying({"32767", "3", "2", "1"}), 1u) << "small tables too";
  EXPECT_EQ(CountOutlying({"9000000000", "1"}), 1u);
  EXPECT_EQ(CountOutlying(Above({"5", "4"}, Descending(-9'000'000'000, 100))), 2u) << "negative ones";
  EXPECT_EQ(CountOutlying(Above({"1800000000000000"}, Descending(1'800'000'000, 300, 60))), 1u)
      << "microseconds among seconds";
  EXPECT_EQ(CountOutlying(Above(Descending(900'000'000'000'000, 90), Descending(5'000, 200))), 90u)
      << "a batch";
}

TEST(OutlyingValues, WhatGoesOnIsNot) {
  EXPECT_EQ(CountOutlying({}), 0u);
  EXPECT_EQ(CountOutlying({"9223372036854775807"}), 0u) << "never all of them";
  EXPECT_EQ(CountOutlying(Descending(1'000'000'000, 200)), 0u);
  EXPECT_EQ(CountOutlying(Descending(1'800'000'000'000, 200, 60'000)), 0u) << "milliseconds, a row a minute";
  EXPECT_EQ(CountOutlying(std::vector<std::string>(200, "7")), 0u) << "one value in all rows";
  EXPECT_EQ(CountOutlying(Above(Descending(2'000'000, 3), Descending(1'900'000, 300))), 0u)
      << "a gap in the ids";
  EXPECT_EQ(CountOutlying(Above(Descending(900'000'000'000'000, 150), Descending(5'000, 200))), 0u)
      << "most go on there";
}

}  // namespace
}  // namespace hakobu
