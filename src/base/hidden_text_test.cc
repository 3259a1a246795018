#include "base/hidden_text.h"

#include <gtest/gtest.h>

#include <vector>

namespace hakobu {
namespace {

TEST(HiddenText, WholeValuesAndPiecesOfThemAreNotShown) {
  const std::vector<std::string> hidden = {"tenant-of-secrets-4711", "7", ""};
  const auto shown = [&](std::string_view message) { return WithoutHidden(message, hidden); };
  EXPECT_EQ(shown("near 'AND t = 'tenant-of-secrets-4711'' at line 1"), "near 'AND t = '***'' at line 1");
  EXPECT_EQ(shown("near 'tenant-of-sec"), "near '***");
  EXPECT_EQ(shown("near 'ecrets-4711''"), "near '***''");
  EXPECT_EQ(shown("Incorrect DATE value: 'x-4711-secrets-4711'"), "Incorrect DATE value: 'x***'");
  EXPECT_EQ(shown("t = 7 at line 17"), "t = *** at line 17");
  EXPECT_EQ(shown("Unknown column 'nope'"), "Unknown column 'nope'");
  EXPECT_EQ(shown(""), "");
  EXPECT_EQ(WithoutHidden("as it is", {}), "as it is");
}

}  // namespace
}  // namespace hakobu
