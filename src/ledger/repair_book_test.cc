#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "ledger/ledger.h"

namespace hakobu {
namespace {

class RepairBookTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/hakobu-repair-book-XXXXXX";
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
    auto log = Ledger::Open(folder_ + "/ledger.db");
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
  }

  std::string folder_;
  std::unique_ptr<Ledger> log_;
};

TEST_F(RepairBookTest, KeepsProgressOverRestarts) {
  RepairTableRecord table;
  table.source = "shop.members";
  table.target = "p.d.members";
  table.rows_table = "p.d.rows";
  table.fingerprint = "abc";
  table.sequence = "1/2/3/4";
  table.started = absl::FromUnixMicros(1'700'000'000'123'456);
  table.round = 1;
  ASSERT_TRUE(log_->repairs()
                  .Begin(table, {{.number = 0, .bounds_json = "{}"}, {.number = 1, .bounds_json = "[]"}})
                  .ok());
  ASSERT_TRUE(
      log_->repairs()
          .StoreChunk("shop.members",
                      {.number = 1, .bounds_json = "[]", .done = true, .rows = 7, .write_stream = "s"})
          .ok());
  ASSERT_TRUE(log_->repairs().StoreRound("shop.members", 4).ok());
  Open();
  const auto found = log_->repairs().Find("shop.members");
  ASSERT_TRUE(found.ok() && found->has_value()) << found.status();
  EXPECT_EQ((*found)->rows_table, "p.d.rows");
  EXPECT_EQ((*found)->sequence, "1/2/3/4");
  EXPECT_EQ((*found)->started, table.started);
  EXPECT_EQ((*found)->round, 4);
  const auto chunks = log_->repairs().Chunks("shop.members");
  ASSERT_TRUE(chunks.ok()) << chunks.status();
  ASSERT_EQ(chunks->size(), 2u);
  EXPECT_FALSE((*chunks)[0].done);
  EXPECT_TRUE((*chunks)[1].done);
  EXPECT_EQ((*chunks)[1].rows, 7u);
  EXPECT_EQ((*chunks)[1].write_stream, "s");
}

TEST_F(RepairBookTest, BeginReplacesAndForgetRemovesWithChunks) {
  RepairTableRecord table;
  table.source = "shop.members";
  table.started = absl::UnixEpoch();
  ASSERT_TRUE(log_->repairs().Begin(table, {{.number = 0}, {.number = 1}}).ok());
  ASSERT_TRUE(log_->repairs().Begin(table, {{.number = 0}}).ok());
  EXPECT_EQ(log_->repairs().Chunks("shop.members")->size(), 1u);
  ASSERT_TRUE(log_->repairs().Forget("shop.members").ok());
  EXPECT_FALSE(log_->repairs().Find("shop.members")->has_value());
  EXPECT_TRUE(log_->repairs().Chunks("shop.members")->empty());
}

TEST_F(RepairBookTest, OneProcessAtATime) {
  const auto lock = log_->Lock(LedgerUse::kRepair);
  ASSERT_TRUE(lock.ok());
  const auto other = Ledger::Open(folder_ + "/ledger.db");
  ASSERT_TRUE(other.ok());
  EXPECT_EQ((*other)->Lock(LedgerUse::kRepair).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace hakobu
