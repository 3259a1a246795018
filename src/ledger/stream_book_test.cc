#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "ledger/ledger.h"

namespace hakobu {
namespace {

DeliveredPoint OfEpoch(int64_t epoch) {
  DeliveredPoint point;
  point.epoch = epoch;
  return point;
}

class StreamBookTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/stream_book_test.db";
    std::filesystem::remove(path_);
  }
  std::unique_ptr<Ledger> Open() {
    auto log = Ledger::Open(path_);
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }
  static absl::Status Advance(Ledger* ledger, const std::string& source, StreamTableEvent event) {
    return ledger->streams().Advance(source, event, [](StreamTableRecord*) {}).status();
  }
  // A table whose copy is under way in so many chunks.
  static void BeginCopy(Ledger* ledger, const std::string& source, size_t chunks) {
    ASSERT_TRUE(Advance(ledger, source, StreamTableEvent::kBegin).ok());
    ASSERT_TRUE(ledger->streams()
                    .Advance(source, StreamTableEvent::kTargetMade,
                             [](StreamTableRecord* table) { table->copy_sequence = "0/1"; })
                    .ok());
    std::vector<StreamChunkRecord> planned(chunks);
    for (size_t i = 0; i < chunks; ++i) planned[i] = {.number = i, .bounds_json = "{}"};
    ASSERT_TRUE(ledger->streams().PlanCopy(source, "0/1", planned).ok());
  }
  static StreamTableRecord Table(Ledger* ledger, const std::string& source) {
    const auto found = ledger->streams().Find(source);
    EXPECT_TRUE(found.ok() && found->has_value()) << found.status();
    return found->value_or(StreamTableRecord());
  }
  std::string path_;
};

// A copy that was being planned when its table was stopped does not bring the table back.
TEST_F(StreamBookTest, APlanOfAStoppedTableIsRefused) {
  const auto ledger = Open();
  BeginCopy(ledger.get(), "shop.members", 0);
  ASSERT_TRUE(Advance(ledger.get(), "shop.members", StreamTableEvent::kStop).ok());
  const absl::Status planned = ledger->streams().PlanCopy("shop.members", "0/1", {{.number = 0}});
  EXPECT_EQ(planned.code(), absl::StatusCode::kFailedPrecondition) << planned;
  EXPECT_EQ(Table(ledger.get(), "shop.members").state, StreamTableState::kStopped);
  EXPECT_TRUE(ledger->streams().Chunks("shop.members")->empty());
}

TEST_F(StreamBookTest, APlanForAnEarlierCopyIsRefused) {
  const auto ledger = Open();
  BeginCopy(ledger.get(), "shop.members", 2);
  ASSERT_TRUE(ledger->streams()
                  .Advance("shop.members", StreamTableEvent::kCopyAgain,
                           [](StreamTableRecord* table) { table->copy_sequence = "0/2"; })
                  .ok());
  EXPECT_TRUE(ledger->streams().Chunks("shop.members")->empty());  // of the earlier copy
  EXPECT_EQ(ledger->streams().PlanCopy("shop.members", "0/1", {{.number = 0}}).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(ledger->streams().PlanCopy("shop.members", "0/2", {{.number = 0}}).ok());
}

TEST_F(StreamBookTest, ARefusedEventChangesNothing) {
  const auto ledger = Open();
  BeginCopy(ledger.get(), "shop.members", 2);
  const auto whole = ledger->streams().Advance("shop.members", StreamTableEvent::kCaughtUp,
                                               [](StreamTableRecord* table) { table->reason = "none"; });
  EXPECT_EQ(whole.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(whole.status().message()), testing::HasSubstr("shop.members"));
  EXPECT_THAT(std::string(whole.status().message()), testing::HasSubstr("expected `catching`"));
  EXPECT_EQ(Table(ledger.get(), "shop.members").reason, "");
  EXPECT_EQ(Table(ledger.get(), "shop.members").chunks, 2U);
}

// Killed half-way through a first copy, and the log is purged meanwhile.
TEST_F(StreamBookTest, ACopyThatAGapConcernsDoesNotBecomeWholeByEnding) {
  const auto ledger = Open();
  BeginCopy(ledger.get(), "shop.members", 2);
  const StreamTableProgress gap{
      .source = "shop.members", .event = StreamTableEvent::kGapPassed, .reason = "gap 1"};
  ASSERT_TRUE(ledger->streams().StorePosition(OfEpoch(2), {gap}, std::nullopt).ok());
  EXPECT_EQ(Table(ledger.get(), "shop.members").state, StreamTableState::kCopyingGap);
  EXPECT_EQ(Table(ledger.get(), "shop.members").chunks, 2U);  // it goes on
  ASSERT_TRUE(Advance(ledger.get(), "shop.members", StreamTableEvent::kCopied).ok());
  const StreamTableProgress whole{.source = "shop.members", .event = StreamTableEvent::kCaughtUp};
  ASSERT_TRUE(ledger->streams().StorePosition(OfEpoch(2), {whole}, std::nullopt).ok());
  EXPECT_EQ(Table(ledger.get(), "shop.members").state, StreamTableState::kGap);
  EXPECT_EQ(Table(ledger.get(), "shop.members").reason, "gap 1");
}

// The end of one copy says nothing about the next one.
TEST_F(StreamBookTest, ProgressOfAnotherCopyIsLeftOut) {
  const auto ledger = Open();
  BeginCopy(ledger.get(), "shop.members", 1);
  ASSERT_TRUE(Advance(ledger.get(), "shop.members", StreamTableEvent::kCopied).ok());
  const StreamTableProgress other{
      .source = "shop.members", .event = StreamTableEvent::kCaughtUp, .copy_sequence = "0/0"};
  ASSERT_TRUE(ledger->streams().StorePosition(OfEpoch(2), {other}, std::nullopt).ok());
  EXPECT_EQ(Table(ledger.get(), "shop.members").state, StreamTableState::kCatching);
}

// `hakobu repair` is another process: what it made of a table is not lost when the stream writes its own
// part.
TEST_F(StreamBookTest, TwoProcessesChangeOneTable) {
  const auto stream = Open();
  const auto repair = Open();
  BeginCopy(stream.get(), "shop.members", 1);
  ASSERT_TRUE(Advance(stream.get(), "shop.members", StreamTableEvent::kGapPassed).ok());
  ASSERT_TRUE(Advance(stream.get(), "shop.members", StreamTableEvent::kCopied).ok());
  ASSERT_TRUE(Advance(repair.get(), "shop.members", StreamTableEvent::kRepaired).ok());
  ASSERT_TRUE(stream->streams()
                  .Change("shop.members", [](StreamTableRecord* table) { table->write_stream = "s"; })
                  .ok());
  EXPECT_EQ(Table(repair.get(), "shop.members").state, StreamTableState::kWhole);
  EXPECT_EQ(Advance(repair.get(), "shop.members", StreamTableEvent::kRepaired).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(StreamBookTest, KeepsWhatWasSeenLastOfTheSourcesLog) {
  const absl::Time now = absl::FromUnixMicros(1'700'000'000'123'456);
  EXPECT_FALSE((*Open()->streams().Health()).has_value());
  ASSERT_TRUE(Open()->streams().StoreHealth({.looked = now, .lag_bytes = 7, .headroom_seconds = 60.5}).ok());
  ASSERT_TRUE(Open()
                  ->streams()
                  .StoreHealth({.looked = now,
                                .fresh_until = now - absl::Seconds(3),
                                .lag_bytes = 8,
                                .headroom_seconds = std::numeric_limits<double>::infinity(),
                                .stalled_seconds = 12,
                                .headroom = "long"})
                  .ok());
  const auto health = *Open()->streams().Health();
  ASSERT_TRUE(health.has_value());
  EXPECT_EQ(health->looked, now);
  EXPECT_EQ(health->fresh_until, now - absl::Seconds(3));
  EXPECT_EQ(health->lag_bytes, 8);
  EXPECT_EQ(health->headroom_seconds, std::numeric_limits<double>::infinity());
  EXPECT_EQ(health->stalled_seconds, 12);
  EXPECT_EQ(health->headroom, "long");
}

TEST_F(StreamBookTest, KeepsPositionTablesAndSchemasTogether) {
  const absl::Time now = absl::FromUnixMicros(1'700'000'000'123'456);
  {
    const auto log = Open();
    ASSERT_FALSE((*log->streams().Position()).has_value());
    EXPECT_EQ(*log->streams().Schemas(), "");
    BeginCopy(log.get(), "shop.members", 2);
    ASSERT_TRUE(log->streams()
                    .StoreChunk("shop.members", {.number = 1, .bounds_json = "{}", .done = true, .rows = 7})
                    .ok());
    ASSERT_TRUE(Advance(log.get(), "shop.members", StreamTableEvent::kCopied).ok());
    const StreamTableProgress whole{
        .source = "shop.members", .write_offset = 5, .event = StreamTableEvent::kCaughtUp, .since = now};
    const StreamTableProgress again{
        .source = "shop.members", .event = StreamTableEvent::kCaughtUp, .since = now + absl::Seconds(1)};
    DeliveredPoint point;
    point.epoch = 2;
    point.flavor = ServerFlavor::kMariaDb;
    point.server_uuid = "u";
    point.server_id = 4;
    point.file = "b.7";
    point.offset = 1234;
    point.identity = {1'700'000'000, 4, "11.8.3-MariaDB"};
    point.gtid_set = "u:1-9";
    point.committed = point.stored = now;
    ASSERT_TRUE(log->streams().StorePosition(point, {whole, again}, "{\"a\":1}").ok());
  }
  const auto log = Open();
  const auto position = *log->streams().Position();
  ASSERT_TRUE(position.has_value());
  EXPECT_EQ(position->epoch, 2);
  EXPECT_EQ(position->file, "b.7");
  EXPECT_EQ(position->offset, 1234U);
  EXPECT_EQ(position->gtid_set, "u:1-9");
  EXPECT_EQ(position->flavor, ServerFlavor::kMariaDb);
  EXPECT_EQ(position->identity, (LogFileIdentity{1'700'000'000, 4, "11.8.3-MariaDB"}));
  EXPECT_EQ(position->committed, now);
  EXPECT_EQ(*log->streams().Schemas(), "{\"a\":1}");
  const auto tables = *log->streams().Tables();
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].state, StreamTableState::kWhole);
  EXPECT_EQ(tables[0].since, now);  // it was whole already when it was called whole again
  EXPECT_EQ(tables[0].write_offset, 5U);
  EXPECT_EQ(tables[0].chunks, 2U);
  EXPECT_EQ(tables[0].chunks_done, 1U);  // storing the table leaves its chunks alone
  EXPECT_EQ((*log->streams().Chunks("shop.members"))[1].rows, 7U);
}

TEST_F(StreamBookTest, OnlyOneStreamHoldsTheLedger) {
  const auto first = Open();
  const auto second = Open();
  const auto lock = first->Lock(LedgerUse::kStream);
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(second->Lock(LedgerUse::kStream).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(StreamBookTest, GapsAreOpenedAndClosed) {
  const auto log = Open();
  const absl::Time from = absl::FromUnixSeconds(100), to = absl::FromUnixSeconds(200);
  ASSERT_EQ(*log->streams().OpenGap({.from_gtid = "u:1-5",
                                     .to_gtid = "u:1-9",
                                     .from_time = from,
                                     .to_time = to,
                                     .cause = "purged",
                                     .tables_json = "[]",
                                     .opened = to}),
            1);
  ASSERT_EQ(*log->streams().OpenGap({.from_file = "b.1", .from_offset = 4, .cause = "reset", .opened = to}),
            2);
  ASSERT_TRUE(log->streams().CloseGap(1, absl::FromUnixSeconds(300), "{\"rows\":3}").ok());
  const auto gaps = *log->streams().Gaps();
  ASSERT_EQ(gaps.size(), 2U);
  EXPECT_EQ(gaps[0].state, GapState::kRepaired);
  EXPECT_EQ(gaps[0].from_time, from);
  EXPECT_EQ(gaps[0].proof_json, "{\"rows\":3}");
  EXPECT_EQ(gaps[1].state, GapState::kOpen);
  EXPECT_EQ(gaps[1].closed, absl::InfinitePast());
  EXPECT_EQ(gaps[1].from_offset, 4U);
}

}  // namespace
}  // namespace hakobu
