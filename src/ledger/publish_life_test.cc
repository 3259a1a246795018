#include "ledger/publish_life.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

namespace hakobu {
namespace {

using ::testing::HasSubstr;
using Step = PublishStep;
using State = PublishStepState;
using Event = PublishStepEvent;
using Pair = std::pair<Step, Event>;

PublishLife After(const std::vector<std::pair<Step, State>>& steps) {
  PublishLife life;
  for (const auto& [step, state] : steps) life.Set(step, state);
  return life;
}

// Of all pairs of step and event, `allowed` lead on and the others are refused.
void ExpectOnly(const PublishLife& life, const std::set<Pair>& allowed) {
  for (size_t s = 0; s < NamesOf(Step{}).size(); ++s) {
    for (const Event event : {Event::kBegin, Event::kFinish}) {
      const auto step = static_cast<Step>(s);
      SCOPED_TRACE(std::string(NameOf(event)) + " " + std::string(NameOf(step)));
      const absl::StatusOr<State> next = Next(life, step, event);
      if (allowed.contains({step, event})) {
        ASSERT_TRUE(next.ok()) << next.status();
        EXPECT_EQ(*next, event == Event::kBegin ? State::kBegun : State::kDone);
        continue;
      }
      ASSERT_EQ(next.status().code(), absl::StatusCode::kFailedPrecondition);
      EXPECT_THAT(std::string(next.status().message()),
                  HasSubstr("\"" + std::string(NameOf(event)) + "\" of `" + std::string(NameOf(step)) +
                            "` does not follow: "));
    }
  }
}

const std::set<Pair> kBeforeAnything = {{Step::kStaging, Event::kFinish}, {Step::kCommit, Event::kFinish},
                                        {Step::kPrevious, Event::kBegin}, {Step::kBefore, Event::kFinish},
                                        {Step::kCopy, Event::kBegin},     {Step::kQuery, Event::kBegin},
                                        {Step::kMerge, Event::kBegin},    {Step::kPublished, Event::kFinish},
                                        {Step::kCursor, Event::kFinish},  {Step::kKeys, Event::kBegin}};

std::set<Pair> With(std::set<Pair> pairs, Pair more) {
  pairs.insert(more);
  return pairs;
}

std::set<Pair> Without(std::set<Pair> pairs, const std::vector<Pair>& less) {
  for (const Pair& each : less) pairs.erase(each);
  return pairs;
}

TEST(PublishLife, AtFirstJobsAreBegunAndTheRestIsDone) {
  ExpectOnly(PublishLife(), kBeforeAnything);
}

TEST(PublishLife, AJobIsDoneOnlyAfterItsIdWasKept) {
  for (const Step job : {Step::kPrevious, Step::kCopy, Step::kQuery, Step::kMerge}) {
    SCOPED_TRACE(NameOf(job));
    // Its next attempt has the next id.
    ExpectOnly(After({{job, State::kBegun}}), With(kBeforeAnything, {job, Event::kFinish}));
  }
}

TEST(PublishLife, RowsArePutInPlaceOnceAndWhatWasBeforeIsNotKeptAfter) {
  for (const Step job : {Step::kCopy, Step::kQuery, Step::kMerge}) {
    SCOPED_TRACE(NameOf(job));
    ExpectOnly(After({{job, State::kDone}}), Without(kBeforeAnything, {{Step::kPrevious, Event::kBegin},
                                                                       {Step::kBefore, Event::kFinish},
                                                                       {Step::kCopy, Event::kBegin},
                                                                       {Step::kQuery, Event::kBegin},
                                                                       {Step::kMerge, Event::kBegin}}));
  }
}

TEST(PublishLife, WhatIsPublishedIsNotPublishedAgain) {
  ExpectOnly(
      After({{Step::kPublished, State::kDone}}),
      {{Step::kStaging, Event::kFinish}, {Step::kCursor, Event::kFinish}, {Step::kKeys, Event::kBegin}});
}

TEST(PublishLife, TheTargetAsItWasIsKeptOnceOnly) {
  ExpectOnly(After({{Step::kBefore, State::kDone}}),
             Without(kBeforeAnything, {{Step::kBefore, Event::kFinish}}));
}

TEST(PublishLife, TheCopyOfThePreviousVersionIsMadeOnce) {
  ExpectOnly(After({{Step::kPrevious, State::kDone}}),
             Without(kBeforeAnything, {{Step::kPrevious, Event::kBegin}}));
}

TEST(PublishLife, StreamsAreCommittedOnce) {
  ExpectOnly(After({{Step::kCommit, State::kDone}}),
             Without(kBeforeAnything, {{Step::kCommit, Event::kFinish}}));
}

TEST(PublishLife, AnotherAttemptMakesItsStagingAnewAndMovesTheCursorAgain) {
  ExpectOnly(After({{Step::kStaging, State::kDone}, {Step::kCursor, State::kDone}}), kBeforeAnything);
}

TEST(PublishLife, GoneRowsAreDeletedByATableOfKeysOnce) {
  ExpectOnly(After({{Step::kKeys, State::kBegun}}), With(kBeforeAnything, {Step::kGone, Event::kFinish}));
  ExpectOnly(After({{Step::kKeys, State::kBegun}, {Step::kGone, State::kDone}}),
             Without(kBeforeAnything, {{Step::kKeys, Event::kBegin}}));
}

}  // namespace
}  // namespace hakobu
