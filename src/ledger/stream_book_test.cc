#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "ledger/ledger.h"

namespace hakobu {
namespace {

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
  std::string path_;
};

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
    StreamTableRecord table{
        .source = "shop.members", .target = "p.d.members", .mode = "upsert", .state = "copying"};
    ASSERT_TRUE(
        log->streams()
            .StartCopy(table, {{.number = 0, .bounds_json = "{}"}, {.number = 1, .bounds_json = "{}"}})
            .ok());
    ASSERT_TRUE(log->streams()
                    .StoreChunk("shop.members", {.number = 1, .bounds_json = "{}", .done = true, .rows = 7})
                    .ok());
    table.state = "catching";
    ASSERT_TRUE(log->streams().StoreTable(table).ok());
    ASSERT_TRUE(
        log->streams()
            .StorePosition({.epoch = 2,
                            .flavor = "mysql",
                            .server_uuid = "u",
                            .server_id = 4,
                            .file = "b.7",
                            .offset = 1234,
                            .file_identity = "i",
                            .gtid_set = "u:1-9",
                            .log_time = now,
                            .stored = now},
                           {{.source = "shop.members", .write_offset = 5, .state = "whole", .since = now},
                            {.source = "shop.members", .state = "whole"}},
                           "{\"a\":1}")
            .ok());
  }
  const auto log = Open();
  const auto position = *log->streams().Position();
  ASSERT_TRUE(position.has_value());
  EXPECT_EQ(position->epoch, 2);
  EXPECT_EQ(position->file, "b.7");
  EXPECT_EQ(position->offset, 1234U);
  EXPECT_EQ(position->gtid_set, "u:1-9");
  EXPECT_EQ(position->log_time, now);
  EXPECT_EQ(*log->streams().Schemas(), "{\"a\":1}");
  const auto tables = *log->streams().Tables();
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].state, "whole");
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
  EXPECT_EQ(gaps[0].state, "repaired");
  EXPECT_EQ(gaps[0].from_time, from);
  EXPECT_EQ(gaps[0].proof_json, "{\"rows\":3}");
  EXPECT_EQ(gaps[1].state, "open");
  EXPECT_EQ(gaps[1].closed, absl::InfinitePast());
  EXPECT_EQ(gaps[1].from_offset, 4U);
}

}  // namespace
}  // namespace hakobu
