#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "app/explain_word_command.h"
#include "base/outage.h"
#include "delivery/stream/stream.h"
#include "ledger/run_book.h"

namespace hakobu {
namespace {

template <NamedEnum Enum>
void ExpectExplained(Enum) {
  for (const std::string_view name : NamesOf(Enum{})) {
    if (name.empty()) continue;
    EXPECT_TRUE(std::any_of(ExplainedWords().begin(), ExplainedWords().end(), [&](const ExplainedWord& each) {
      return each.word == name;
    })) << name;
  }
}

TEST(ExplainedWords, EveryStateThatIsShownIsExplained) {
  ExpectExplained(RunState{});
  ExpectExplained(RunTableState{});
  ExpectExplained(StreamPhase{});
  ExpectExplained(StreamTableState{});
  ExpectExplained(OutageSubject{});
}

TEST(ExplainedWords, EachIsExplainedOnce) {
  for (const ExplainedWord& each : ExplainedWords()) {
    EXPECT_EQ(std::count_if(ExplainedWords().begin(), ExplainedWords().end(),
                            [&](const ExplainedWord& other) { return other.word == each.word; }),
              1)
        << each.word;
    EXPECT_TRUE(each.meaning.ends_with('.')) << each.word;
  }
}

}  // namespace
}  // namespace hakobu
