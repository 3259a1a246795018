#include "ledger/pace_book.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "ledger/ledger.h"

namespace hakobu {
namespace {

TEST(PaceBook, IsThereAfterAStart) {
  std::string folder = ::testing::TempDir() + "/hakobu-pace-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const auto open = [&] { return *Ledger::Open(folder + "/ledger.db"); };
  {
    const auto ledger = open();
    EXPECT_EQ(ledger->pace().Wish()->share, 1) << "nobody has said anything";
    EXPECT_FALSE(ledger->pace().Fit("BurstBalance db1")->has_value());
    ASSERT_TRUE(ledger->pace().SetWish({.share = 0.25, .since = absl::FromUnixSeconds(5)}).ok());
    ASSERT_TRUE(ledger->pace().StoreFit({"BurstBalance db1", 1e-4, 2e-7, 0.5}).ok());
    ASSERT_TRUE(ledger->pace().StoreFit({"BurstBalance db1", 2e-4, 2e-7, 0.25}).ok());
    ASSERT_TRUE(ledger->pace().StoreLoad({"db:3306", 100, 7, 50}).ok());
    ASSERT_TRUE(ledger->pace().StoreLoad({"db:3306", 100, 7, 60}).ok());
    ASSERT_TRUE(ledger->pace().StoreLoad({"db:3306", 104, 7, 70}).ok());
  }
  const auto ledger = open();
  EXPECT_EQ(ledger->pace().Wish()->share, 0.25);
  EXPECT_EQ((*ledger->pace().Fit("BurstBalance db1"))->refill, 2e-4);
  ASSERT_EQ(ledger->pace().Loads("db:3306")->size(), 2u);
  EXPECT_EQ(ledger->pace().Loads("db:3306")->front().iops, 60);
  EXPECT_TRUE(ledger->pace().Loads("other")->empty());
  ASSERT_TRUE(ledger->pace().StoreLoad({"db:3306", 109, 7, 80}).ok());
  EXPECT_EQ(ledger->pace().Loads("db:3306")->size(), 2u) << "what is older than eight weeks is forgotten";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hakobu
