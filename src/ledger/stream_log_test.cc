#include "ledger/stream_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

namespace hakobu {
namespace {

class StreamLogTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/stream_log_test.db";
    std::filesystem::remove(path_);
  }
  std::unique_ptr<StreamLog> Open() {
    auto log = StreamLog::Open(path_);
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }
  std::string path_;
};

TEST_F(StreamLogTest, KeepsWhatWasSeenLastOfTheSourcesLog) {
  const absl::Time now = absl::FromUnixMicros(1'700'000'000'123'456);
  EXPECT_FALSE((*Open()->Health()).has_value());
  ASSERT_TRUE(Open()->StoreHealth({.looked = now, .lag_bytes = 7, .headroom_seconds = 60.5}).ok());
  ASSERT_TRUE(Open()
                  ->StoreHealth({.looked = now,
                                 .fresh_until = now - absl::Seconds(3),
                                 .lag_bytes = 8,
                                 .headroom_seconds = std::numeric_limits<double>::infinity(),
                                 .stalled_seconds = 12,
                                 .headroom = "long"})
                  .ok());
  const auto health = *Open()->Health();
  ASSERT_TRUE(health.has_value());
  EXPECT_EQ(health->looked, now);
  EXPECT_EQ(health->fresh_until, now - absl::Seconds(3));
  EXPECT_EQ(health->lag_bytes, 8);
  EXPECT_EQ(health->headroom_seconds, std::numeric_limits<double>::infinity());
  EXPECT_EQ(health->stalled_seconds, 12);
  EXPECT_EQ(health->headroom, "long");
}

TEST_F(StreamLogTest, KeepsPositionTablesAndSchemasTogether) {
  const absl::Time now = absl::FromUnixMicros(1'700'000'000'123'456);
  {
    const auto log = Open();
    ASSERT_FALSE((*log->Position()).has_value());
    EXPECT_EQ(*log->Schemas(), "");
    StreamTableRecord table{
        .source = "shop.members", .target = "p.d.members", .mode = "upsert", .state = "copying"};
    ASSERT_TRUE(
        log->StartCopy(table, {{.number = 0, .bounds_json = "{}"}, {.number = 1, .bounds_json = "{}"}}).ok());
    ASSERT_TRUE(
        log->StoreChunk("shop.members", {.number = 1, .bounds_json = "{}", .done = true, .rows = 7}).ok());
    table.state = "catching";
    ASSERT_TRUE(log->StoreTable(table).ok());
    ASSERT_TRUE(
        log->StorePosition({.epoch = 2,
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
  const auto position = *log->Position();
  ASSERT_TRUE(position.has_value());
  EXPECT_EQ(position->epoch, 2);
  EXPECT_EQ(position->file, "b.7");
  EXPECT_EQ(position->offset, 1234U);
  EXPECT_EQ(position->gtid_set, "u:1-9");
  EXPECT_EQ(position->log_time, now);
  EXPECT_EQ(*log->Schemas(), "{\"a\":1}");
  const auto tables = *log->Tables();
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].state, "whole");
  EXPECT_EQ(tables[0].since, now);  // it was whole already when it was called whole again
  EXPECT_EQ(tables[0].write_offset, 5U);
  EXPECT_EQ(tables[0].chunks, 2U);
  EXPECT_EQ(tables[0].chunks_done, 1U);  // storing the table leaves its chunks alone
  EXPECT_EQ((*log->Chunks("shop.members"))[1].rows, 7U);
}

TEST_F(StreamLogTest, OnlyOneStreamHoldsTheLedger) {
  const auto first = Open();
  const auto second = Open();
  ASSERT_TRUE(first->LockForStream().ok());
  EXPECT_EQ(second->LockForStream().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(StreamLogTest, GapsAreOpenedAndClosed) {
  const auto log = Open();
  const absl::Time from = absl::FromUnixSeconds(100), to = absl::FromUnixSeconds(200);
  ASSERT_EQ(*log->OpenGap({.from_gtid = "u:1-5",
                           .to_gtid = "u:1-9",
                           .from_time = from,
                           .to_time = to,
                           .cause = "purged",
                           .tables_json = "[]",
                           .opened = to}),
            1);
  ASSERT_EQ(*log->OpenGap({.from_file = "b.1", .from_offset = 4, .cause = "reset", .opened = to}), 2);
  ASSERT_TRUE(log->CloseGap(1, absl::FromUnixSeconds(300), "{\"rows\":3}").ok());
  const auto gaps = *log->Gaps();
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
