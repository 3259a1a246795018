#include "app/text_table.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

TEST(TextTable, LinesUpWithWideCharacters) {
  TextTable table({{"table", Align::kLeft}, {"rows", Align::kRight}});
  table.AddRow({"会員", "12"});
  table.AddRow({"plans", "1,234"});
  EXPECT_EQ(table.Render(), "table   rows\n会員      12\nplans  1,234\n");
}

TEST(TextTable, Widths) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("ｶﾅ"), 2u);
  EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1u);
  EXPECT_EQ(DisplayWidth("\xff\xe3"), 2u);
}

TEST(Numbers, ReadWell) {
  EXPECT_EQ(CountText(0), "0");
  EXPECT_EQ(CountText(999), "999");
  EXPECT_EQ(CountText(1234567), "1,234,567");
  EXPECT_EQ(BytesText(999), "999 B");
  EXPECT_EQ(BytesText(1500), "1.5 kB");
  EXPECT_EQ(BytesText(999'900'000), "1.0 GB");
  EXPECT_EQ(BytesText(123'456'789), "123 MB");
  EXPECT_EQ(SecondsText(0.44), "0.4 s");
  EXPECT_EQ(SecondsText(59.7), "1 min 00 s");
  EXPECT_EQ(SecondsText(7500), "2 h 05 min");
}

}  // namespace
}  // namespace hakobu
