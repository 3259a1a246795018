#include "app/progress.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

const absl::Time kStart = absl::UnixEpoch();

TableProgress Table(std::string source, std::string state, uint64_t rows, uint64_t estimated) {
  TableProgress table;
  table.source = std::move(source);
  table.state = std::move(state);
  table.rows = rows;
  table.bytes = rows * 100;
  table.estimated_rows = estimated;
  return table;
}

TEST(ProgressMeter, BarsShowWhatMovesAndTheWhole) {
  ProgressMeter meter;
  meter.Update({Table("shop.members", "reading", 0, 1000), Table("shop.会員", "", 0, 1000)}, kStart);
  meter.Update({Table("shop.members", "reading", 500, 1000), Table("shop.会員", "", 0, 1000),
                Table("shop.plans", "done", 10, 10)},
               kStart + absl::Seconds(10));
  const auto lines = meter.Bars(100, 10, kStart + absl::Seconds(10));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "shop.members [##########..........]  50 %  500 rows  5.0 kB/s  10 s left");
  EXPECT_EQ(lines[1], "1 of 3 tables, 510 rows, 5.1 kB/s, 29 s left");
}

TEST(ProgressMeter, AnEstimateThatWasTooLowIsNotFinished) {
  ProgressMeter meter;
  meter.Update({Table("shop.members", "reading", 5000, 1000)}, kStart);
  const auto lines = meter.Bars(100, 10, kStart + absl::Seconds(1));
  EXPECT_NE(lines[0].find(" 99 %"), std::string::npos);
}

TEST(ProgressMeter, LinesFitTheTerminal) {
  ProgressMeter meter;
  meter.Update({Table("a_table_with_quite_a_long_name.and_more", "publishing", 5000, 1000)}, kStart);
  EXPECT_LE(meter.Bars(40, 10, kStart)[0].size(), 40u);
}

TEST(ProgressMeter, StateChangesAreToldOnce) {
  ProgressMeter meter;
  meter.Update({Table("shop.plans", "reading", 0, 10)}, kStart);
  EXPECT_EQ(meter.StateChanges(), std::vector<std::string>{"shop.plans: reading"});
  EXPECT_TRUE(meter.StateChanges().empty());
  meter.Update({Table("shop.plans", "done", 10, 10)}, kStart);
  EXPECT_EQ(meter.StateChanges(), std::vector<std::string>{"shop.plans: done, 10 rows, 1.0 kB"});
}

}  // namespace
}  // namespace hakobu
