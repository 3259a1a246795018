#include <gtest/gtest.h>

#include <filesystem>

#include "ledger/ledger.h"

namespace hakobu {
namespace {

class TenantBookTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/tenant_book";
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    auto opened = Ledger::Open(folder_ + "/ledger.db");
    ASSERT_TRUE(opened.ok()) << opened.status();
    ledger_ = *std::move(opened);
  }
  void TearDown() override {
    ledger_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string folder_;
  std::unique_ptr<Ledger> ledger_;
  const absl::Time first_ = absl::FromUnixSeconds(1'790'000'000);
};

TEST_F(TenantBookTest, AParkedTenantKeepsWhenItWasDeliveredLast) {
  TenantBook& book = ledger_->tenants();
  ASSERT_TRUE(book.Note("acme", "r1", TenantState::kDelivered, "", first_).ok());
  ASSERT_TRUE(book.Note("acme", "r2", TenantState::kParked, "403", first_ + absl::Hours(24)).ok());
  ASSERT_TRUE(book.Note("acme", "r3", TenantState::kParked, "404", first_ + absl::Hours(48)).ok());
  const auto parked = book.Find("acme");
  ASSERT_TRUE(parked.ok() && parked->has_value());
  EXPECT_EQ((*parked)->state, TenantState::kParked);
  EXPECT_EQ((*parked)->reason, "404");
  EXPECT_EQ((*parked)->since, first_ + absl::Hours(24)) << "since it was parked first";
  EXPECT_EQ((*parked)->delivered, first_);
  ASSERT_TRUE(book.Note("acme", "r4", TenantState::kDelivered, "", first_ + absl::Hours(72)).ok());
  EXPECT_EQ((*book.Find("acme"))->delivered, first_ + absl::Hours(72));
  ASSERT_TRUE(book.Note("aaa", "r5", TenantState::kParked, "new", first_).ok());
  EXPECT_EQ((*book.Find("aaa"))->delivered, absl::InfinitePast());
  EXPECT_EQ(book.All()->size(), 2u);
}

TEST_F(TenantBookTest, RunsOfATenantAreNotThoseOfTheLedger) {
  ASSERT_TRUE(ledger_->runs().StartRun({.id = "all", .started = first_}).ok());
  ASSERT_TRUE(ledger_->runs().StartRun({.id = "own", .started = first_, .tenant = "acme"}).ok());
  EXPECT_EQ(ledger_->runs().Runs(10)->size(), 1u);
  EXPECT_EQ(ledger_->runs().UnfinishedRuns()->at(0).id, "all");
  EXPECT_EQ(ledger_->runs().UnfinishedRuns("acme")->at(0).id, "own");
  EXPECT_TRUE(ledger_->runs().UnfinishedRuns("bold")->empty());
}

TEST_F(TenantBookTest, ScansAreKept) {
  ASSERT_TRUE(ledger_->tenants()
                  .KeepScan({.run_id = "r", .source = "gym.m", .scanned = 9, .handed_out = 7, .null_rows = 2})
                  .ok());
  const auto scans = ledger_->tenants().Scans("r");
  ASSERT_TRUE(scans.ok());
  ASSERT_EQ(scans->size(), 1u);
  EXPECT_EQ(scans->at(0).scanned, 9u);
  EXPECT_EQ(scans->at(0).null_rows, 2u);
}

}  // namespace
}  // namespace hakobu
