#include "delivery/stream/held_transaction.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

TEST(HeldTransaction, GivesBackWhatItWasGivenFromMemoryAndFromDisk) {
  for (const size_t row_bytes : {100UL, 1'000'000UL}) {
    HeldTransaction held;
    binlog::LogContext context;
    context.gtid = "u:7";
    binlog::TableMap map;
    map.table = "t";
    for (uint64_t i = 0; i < 12; ++i) {
      if (i == 6) map.table = "other";
      const std::string rows(row_bytes + i, static_cast<char>('a' + i));
      binlog::RowsEvent event;
      event.change = i % 2 == 0 ? binlog::RowChange::kInsert : binlog::RowChange::kUpdate;
      event.columns = 3;
      event.present_before = i % 2 == 0 ? "" : "\x07";
      event.present_after = "\x05";
      event.rows = rows;
      ASSERT_TRUE(held.Add(context, {1, 2, 3, i}, map, event).ok());
      ASSERT_LE(held.memory_bytes(), 6'000'000U);
    }
    EXPECT_EQ(held.context().gtid, "u:7");
    uint64_t seen = 0;
    ASSERT_TRUE(held.TakeAll([&](const ChangeSequence& place, const binlog::TableMap& of,
                                 const binlog::RowsEvent& event) {
                      EXPECT_EQ(place.row, seen);
                      EXPECT_EQ(of.table, seen < 6 ? "t" : "other");
                      EXPECT_EQ(event.present_before, seen % 2 == 0 ? "" : "\x07");
                      EXPECT_EQ(event.present_after, "\x05");
                      EXPECT_EQ(event.rows, std::string(row_bytes + seen, static_cast<char>('a' + seen)));
                      ++seen;
                      return absl::OkStatus();
                    })
                    .ok());
    EXPECT_EQ(seen, 12U);
  }
}

// Takes back what came since each savepoint, in memory and on disk.
TEST(HeldTransaction, RollsBackToASavepointAndGoesOnFromThere) {
  for (const size_t row_bytes : {10UL, 1'500'000UL}) {
    HeldTransaction held;
    const auto add = [&](char row) {
      const std::string rows(row_bytes, row);
      binlog::RowsEvent event;
      event.rows = rows;
      ASSERT_TRUE(held.Add({}, {1, 2, 3, static_cast<uint64_t>(row)}, {}, event).ok());
    };
    EXPECT_FALSE(held.RollBackTo("a"));
    held.SetSavepoint("a");
    for (const char row : {'1', '2', '3'}) add(row);
    held.SetSavepoint("B");
    for (const char row : {'4', '5', '6', '7'}) add(row);
    held.SetSavepoint("c");
    add('8');
    EXPECT_TRUE(held.RollBackTo("b"));   // names are compared without case
    EXPECT_FALSE(held.RollBackTo("c"));  // it went with its rows
    for (const char row : {'9', '0'}) add(row);
    EXPECT_TRUE(held.RollBackTo("B"));  // the savepoint itself stays
    for (const char row : {'x', 'y', 'z'}) add(row);
    held.SetSavepoint("a");  // moves: what came before it stays
    add('-');
    EXPECT_TRUE(held.RollBackTo("a"));
    std::string seen;
    const auto each = [&](const ChangeSequence& place, const binlog::TableMap&,
                          const binlog::RowsEvent& event) {
      EXPECT_EQ(event.rows, std::string(row_bytes, static_cast<char>(place.row)));
      seen += static_cast<char>(place.row);
      return absl::OkStatus();
    };
    ASSERT_TRUE(held.TakeAll(each).ok());
    EXPECT_EQ(seen, "123xyz");
  }
}

}  // namespace
}  // namespace hakobu
