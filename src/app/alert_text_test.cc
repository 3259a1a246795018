#include "app/alert_text.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

TEST(WithoutQuoted, LeavesOutKeysAndValues) {
  EXPECT_EQ(WithoutQuoted("column s.t.d of the row with key 'a@b.example': '0000-00-00' is no date; hint: x"),
            "column s.t.d of the row with key '…' is no date; hint: x");
  EXPECT_EQ(WithoutQuoted("key 'O'Hara': 'x'"), "key '…'") << "a value with a quote";
  EXPECT_EQ(WithoutQuoted("a 'b' c\nd 'e' f"), "a '…' c\nd '…' f") << "line by line";
  EXPECT_EQ(WithoutQuoted("the table isn't there"), "the table isn't there");
  EXPECT_EQ(WithoutQuoted(""), "");
}

}  // namespace
}  // namespace hakobu
