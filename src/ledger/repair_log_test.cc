#include "ledger/repair_log.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace hakobu {
namespace {

class RepairLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/hakobu-repair-log-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    Open();
  }
  void TearDown() override {
    log_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Open() {
    log_.reset();
    auto log = RepairLog::Open(folder_ + "/ledger.db");
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
  }

  std::string folder_;
  std::unique_ptr<RepairLog> log_;
};

TEST_F(RepairLogTest, KeepsProgressOverRestarts) {
  RepairTableRecord table;
  table.source = "shop.members";
  table.target = "p.d.members";
  table.rows_table = "p.d.rows";
  table.fingerprint = "abc";
  table.sequence = "1/2/3/4";
  table.started = absl::FromUnixMicros(1'700'000'000'123'456);
  table.round = 1;
  ASSERT_TRUE(
      log_->Begin(table, {{.number = 0, .bounds_json = "{}"}, {.number = 1, .bounds_json = "[]"}}).ok());
  ASSERT_TRUE(
      log_->StoreChunk("shop.members",
                       {.number = 1, .bounds_json = "[]", .done = true, .rows = 7, .write_stream = "s"})
          .ok());
  ASSERT_TRUE(log_->StoreRound("shop.members", 4).ok());
  Open();
  const auto found = log_->Find("shop.members");
  ASSERT_TRUE(found.ok() && found->has_value()) << found.status();
  EXPECT_EQ((*found)->rows_table, "p.d.rows");
  EXPECT_EQ((*found)->sequence, "1/2/3/4");
  EXPECT_EQ((*found)->started, table.started);
  EXPECT_EQ((*found)->round, 4);
  const auto chunks = log_->Chunks("shop.members");
  ASSERT_TRUE(chunks.ok()) << chunks.status();
  ASSERT_EQ(chunks->size(), 2u);
  EXPECT_FALSE((*chunks)[0].done);
  EXPECT_TRUE((*chunks)[1].done);
  EXPECT_EQ((*chunks)[1].rows, 7u);
  EXPECT_EQ((*chunks)[1].write_stream, "s");
}

TEST_F(RepairLogTest, BeginReplacesAndForgetRemovesWithChunks) {
  RepairTableRecord table;
  table.source = "shop.members";
  table.started = absl::UnixEpoch();
  ASSERT_TRUE(log_->Begin(table, {{.number = 0}, {.number = 1}}).ok());
  ASSERT_TRUE(log_->Begin(table, {{.number = 0}}).ok());
  EXPECT_EQ(log_->Chunks("shop.members")->size(), 1u);
  ASSERT_TRUE(log_->Forget("shop.members").ok());
  EXPECT_FALSE(log_->Find("shop.members")->has_value());
  EXPECT_TRUE(log_->Chunks("shop.members")->empty());
}

TEST_F(RepairLogTest, OneProcessAtATime) {
  ASSERT_TRUE(log_->Lock().ok());
  const auto other = RepairLog::Open(folder_ + "/ledger.db");
  ASSERT_TRUE(other.ok());
  EXPECT_EQ((*other)->Lock().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace hakobu
