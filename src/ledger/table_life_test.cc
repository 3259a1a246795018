#include "ledger/table_life.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

namespace hakobu {
namespace {

using ::testing::HasSubstr;

// Every pair of state and event: those in `allowed` lead there, all others are refused and say what was
// expected.
template <typename State, typename Event>
void ExpectOnly(const std::map<std::pair<State, Event>, State>& allowed) {
  for (size_t s = 0; s < NamesOf(State{}).size(); ++s) {
    for (size_t e = 0; e < NamesOf(Event{}).size(); ++e) {
      const auto state = static_cast<State>(s);
      const auto event = static_cast<Event>(e);
      SCOPED_TRACE(std::string(NameOf(state)) + " / " + std::string(NameOf(event)));
      const absl::StatusOr<State> next = Next(state, event);
      const auto expected = allowed.find({state, event});
      if (expected != allowed.end()) {
        ASSERT_TRUE(next.ok()) << next.status();
        EXPECT_EQ(*next, expected->second);
        continue;
      }
      ASSERT_EQ(next.status().code(), absl::StatusCode::kFailedPrecondition);
      const std::string message(next.status().message());
      EXPECT_THAT(message, HasSubstr("\"" + std::string(NameOf(event)) + "\" does not follow on "));
      EXPECT_THAT(message, HasSubstr("expected "));
    }
  }
}

TEST(RunTableLife, OnlyThisFollows) {
  using S = RunTableState;
  using E = RunTableEvent;
  std::map<std::pair<S, E>, S> allowed = {{{S::kReading, E::kPublish}, S::kPublishing},
                                          {{S::kPublishing, E::kPublish}, S::kPublishing},
                                          {{S::kPublishing, E::kPublished}, S::kDone}};
  for (const S state : {S::kPlanned, S::kReading, S::kPublishing, S::kFailed, S::kCancelled}) {
    allowed[{state, E::kRead}] = S::kReading;
    allowed[{state, E::kFail}] = S::kFailed;
    allowed[{state, E::kCancel}] = S::kCancelled;
  }
  ExpectOnly(allowed);
}

TEST(RunTableLife, WhatIsDoneStaysDone) {
  for (size_t e = 0; e < NamesOf(RunTableEvent{}).size(); ++e) {
    EXPECT_FALSE(Next(RunTableState::kDone, static_cast<RunTableEvent>(e)).ok());
  }
}

TEST(StreamTableLife, OnlyThisFollows) {
  using S = StreamTableState;
  using E = StreamTableEvent;
  std::map<std::pair<S, E>, S> allowed = {
      {{S::kBeginning, E::kTargetMade}, S::kCopying}, {{S::kCopying, E::kCopied}, S::kCatching},
      {{S::kCopyingAgain, E::kCopied}, S::kCatching}, {{S::kCopyingGap, E::kCopied}, S::kGap},
      {{S::kCatching, E::kCaughtUp}, S::kWhole},      {{S::kGap, E::kRepaired}, S::kWhole},
  };
  for (const S state : {S::kNone, S::kBeginning, S::kCopying, S::kCopyingAgain, S::kCopyingGap, S::kCatching,
                        S::kGap, S::kWhole, S::kDropped}) {
    allowed[{state, E::kBegin}] = S::kBeginning;
    allowed[{state, E::kStop}] = S::kStopped;
  }
  allowed[{S::kStopped, E::kStop}] = S::kStopped;
  for (const S state : {S::kCopying, S::kCopyingAgain, S::kCatching, S::kWhole})
    allowed[{state, E::kCopyAgain}] = S::kCopyingAgain;
  for (const S state : {S::kCopyingGap, S::kGap}) allowed[{state, E::kCopyAgain}] = S::kCopyingGap;
  for (const S state : {S::kCopying, S::kCopyingAgain, S::kCopyingGap})
    allowed[{state, E::kGapPassed}] = S::kCopyingGap;
  for (const S state : {S::kCatching, S::kGap, S::kWhole}) allowed[{state, E::kGapPassed}] = S::kGap;
  for (const S state : {S::kBeginning, S::kCopying, S::kCopyingAgain, S::kCopyingGap, S::kCatching, S::kGap,
                        S::kWhole, S::kStopped}) {
    allowed[{state, E::kDrop}] = S::kDropped;
    allowed[{state, E::kForget}] = S::kDropped;
  }
  allowed[{S::kDropped, E::kForget}] = S::kDropped;
  ExpectOnly(allowed);
}

// However a gap and copies follow on each other, only a repair or a new beginning makes the table whole
// again.
TEST(StreamTableLife, NoWayFromAGapToWholeButRepairOrABeginning) {
  using S = StreamTableState;
  using E = StreamTableEvent;
  for (const S marked : {S::kGap, S::kCopyingGap}) {
    for (size_t e = 0; e < NamesOf(E{}).size(); ++e) {
      const auto event = static_cast<E>(e);
      const absl::StatusOr<S> next = Next(marked, event);
      if (!next.ok() || event == E::kRepaired) continue;
      const bool still = *next == S::kGap || *next == S::kCopyingGap;
      const bool counts_no_more = *next == S::kBeginning || *next == S::kStopped || *next == S::kDropped;
      EXPECT_TRUE(still || counts_no_more) << NameOf(marked) << " " << NameOf(event);
    }
  }
}

TEST(StreamTableLife, ARefusalNamesTheStatesThatWereExpected) {
  EXPECT_EQ(Next(StreamTableState::kStopped, StreamTableEvent::kCopied).status().message(),
            "\"copied\" does not follow on `stopped`: expected `copying`, `copying_again`, `copying_gap`");
  EXPECT_EQ(Next(StreamTableState::kNone, StreamTableEvent::kCaughtUp).status().message(),
            "\"caught up\" does not follow on not begun: expected `catching`");
}

}  // namespace
}  // namespace hakobu
