#include "base/check.h"

#include <gtest/gtest.h>

#include "base/log.h"

namespace hakobu {
namespace {

TEST(CheckDeathTest, SaysWhatBrokeAndWhatIsSafeAndEndsTheProcess) {
  const int tickets = 3;
  const auto check = [&] {
    SetUpLog(LogFormat::kPlain, LogSeverity::kInfo);
    HAKOBU_CHECK(tickets == 2, "a ticket was given twice", kStartAgain);
  };
  EXPECT_DEATH(check(), "a ticket was given twice \\(expected tickets == 2\\).*start hakobu again");
}

TEST(Check, EvaluatesItsTextsOnlyWhenItFails) {
  bool asked = false;
  const auto text = [&]() -> std::string_view {
    asked = true;
    return "";
  };
  HAKOBU_CHECK(!asked, text(), text());
  EXPECT_FALSE(asked);
}

}  // namespace
}  // namespace hakobu
