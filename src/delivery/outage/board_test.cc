#include "delivery/outage/board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hakobu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = OutageWord::Kind;

constexpr auto kQuery = OutageSubject::kBigQuery;

absl::Time At(int64_t seconds) {
  return absl::UnixEpoch() + absl::Seconds(1'000'000 + seconds);
}

absl::Status Refused() {
  return absl::UnavailableError("connection refused");
}

// The seconds at which something is said while a call fails each second.
std::vector<int64_t> SaidAt(OutageBoard* board, int64_t until) {
  std::vector<int64_t> at;
  for (int64_t second = 0; second <= until; ++second) {
    board->Failed(kQuery, "get table d.t", Refused(), At(second));
    for (const OutageWord& word : board->TakeWords(At(second))) {
      EXPECT_EQ(word.kind, at.empty() ? Kind::kAway : Kind::kStill);
      at.push_back(second);
    }
  }
  return at;
}

TEST(OutageBoard, IsSaidWithinSecondsAndAgainAtGrowingIntervals) {
  OutageBoard board;
  EXPECT_THAT(SaidAt(&board, 2000), ElementsAre(2, 12, 32, 72, 152, 312, 632, 1232, 1832));
}

TEST(OutageBoard, WhatPassesAtOnceIsNotSaid) {
  OutageBoard board;
  board.Failed(kQuery, "append", Refused(), At(0));
  EXPECT_TRUE(board.troubled(kQuery));
  EXPECT_FALSE(board.troubled(OutageSubject::kSource));
  EXPECT_THAT(board.TakeWords(At(1)), IsEmpty());
  board.Succeeded(kQuery, "append", At(1));
  EXPECT_FALSE(board.troubled(kQuery));
  EXPECT_THAT(board.TakeWords(At(60)), IsEmpty());
  EXPECT_THAT(board.Present(), IsEmpty());
}

TEST(OutageBoard, TellsWhatSinceWhenAndWhy) {
  OutageBoard board;
  board.Failed(kQuery, "append to t", Refused(), At(0));
  board.Failed(kQuery, "get table d.t", absl::UnavailableError("HTTP 503"), At(3));
  const std::vector<OutageWord> words = board.TakeWords(At(3));
  ASSERT_THAT(words, SizeIs(1));
  EXPECT_EQ(words[0].outage.since, At(0));
  EXPECT_EQ(words[0].outage.what, "get table d.t");
  EXPECT_EQ(words[0].outage.failures, 2);
  EXPECT_EQ(words[0].outage.Text(), "BigQuery is away since 1970-01-12T13:46:40Z: HTTP 503");
}

TEST(OutageBoard, EndsWhenNothingFailsAnyMore) {
  OutageBoard board;
  board.Failed(kQuery, "append to t", Refused(), At(0));
  board.Failed(kQuery, "get table d.t", Refused(), At(0));
  EXPECT_THAT(board.TakeWords(At(5)), SizeIs(1));
  board.Succeeded(kQuery, "get table d.t", At(6));
  EXPECT_THAT(board.TakeWords(At(6)), IsEmpty());
  EXPECT_THAT(board.Present(), SizeIs(1));
  board.Succeeded(kQuery, "append to t", At(7));
  const std::vector<OutageWord> words = board.TakeWords(At(7));
  ASSERT_THAT(words, SizeIs(1));
  EXPECT_EQ(words[0].kind, Kind::kBack);
  EXPECT_EQ(words[0].outage.since, At(0));
  EXPECT_THAT(board.Present(), IsEmpty());
}

TEST(OutageBoard, ASilenceCountsFromTheCallsBegin) {
  OutageBoard board;
  board.Silent(kQuery, "append to t", At(0), At(5));
  const std::vector<OutageWord> words = board.TakeWords(At(5));
  ASSERT_THAT(words, SizeIs(1));
  EXPECT_EQ(words[0].outage.since, At(0));
  EXPECT_THAT(words[0].outage.Text(), HasSubstr("append to t: no answer for 5 s"));
}

TEST(OutageBoard, ARefusalIsNoAbsence) {
  OutageBoard board;
  board.Failed(kQuery, "append to t", absl::PermissionDeniedError("Access Denied"), At(0));
  const std::vector<OutageWord> words = board.TakeWords(At(3));
  ASSERT_THAT(words, SizeIs(1));
  EXPECT_THAT(words[0].outage.Text(), HasSubstr("BigQuery refuses since"));
}

// A call that was given up leaves its failure behind; others that go well show that it is over.
TEST(OutageBoard, WhatNobodyRepeatsEndsWithTheNextAnswer) {
  OutageBoard board;
  board.Failed(kQuery, "copy t", Refused(), At(0));
  EXPECT_THAT(board.TakeWords(At(3)), SizeIs(1));
  board.Succeeded(kQuery, "get table d.t", At(30));
  EXPECT_THAT(board.Present(), SizeIs(1));
  board.Succeeded(kQuery, "get table d.t", At(61));
  const std::vector<OutageWord> words = board.TakeWords(At(61));
  ASSERT_THAT(words, SizeIs(1));
  EXPECT_EQ(words[0].kind, Kind::kBack);
}

TEST(OutageBoard, SidesAreApart) {
  OutageBoard board;
  board.Failed(OutageSubject::kSource, "connect", Refused(), At(0));
  board.Silent(OutageSubject::kLedger, "write", At(0), At(3));
  EXPECT_THAT(board.TakeWords(At(3)), SizeIs(2));
  board.Succeeded(OutageSubject::kSource, "connect", At(4));
  const std::vector<OutageWord> words = board.TakeWords(At(4));
  ASSERT_THAT(words, SizeIs(1));
  EXPECT_EQ(words[0].outage.subject, OutageSubject::kSource);
  EXPECT_THAT(board.Present(), SizeIs(1));
}

}  // namespace
}  // namespace hakobu
