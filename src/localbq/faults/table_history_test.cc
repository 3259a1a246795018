#include "localbq/faults/table_history.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace hakobu::localbq {
namespace {

TablePtr MakeTable(const std::string& name, int64_t generation, int64_t version = 1,
                   int64_t incarnation = 0) {
  Table table;
  table.id = {"p", "d", name};
  table.generation = generation;
  table.schema_version = version;
  table.incarnation = incarnation;
  return std::make_shared<const Table>(std::move(table));
}

class TableHistoryTest : public testing::Test {
 protected:
  TableHistoryTest() {
    behaviours_.SetAll(Setting::kOn);
    behaviours_.SetLength(DelayLength::kReal);
  }
  TablePtr Make(const std::string& name, int64_t generation) {
    TablePtr table = MakeTable(name, generation);
    history_.OnTableChanged(nullptr, table);
    return table;
  }

  Behaviours behaviours_;
  TableHistory history_{&behaviours_};
};

TEST_F(TableHistoryTest, DeniesAsOftenAsMeasuredAndNeverThreeTimes) {
  int denied_tables = 0, denials = 0;
  for (int i = 0; i < 1400; ++i) {
    const TablePtr table = Make("t" + std::to_string(i), 1'000'000 + i * 7);
    int of_table = 0;
    while (history_.DeniesWrite(*table, "CreateWriteStream")) ++of_table;
    ASSERT_LE(of_table, 2);
    denials += of_table;
    denied_tables += of_table > 0 ? 1 : 0;
    EXPECT_FALSE(history_.DeniesWrite(*table, "GetWriteStream"));
  }
  EXPECT_NEAR(denied_tables, 320, 60);
  EXPECT_NEAR(denials, 450, 90);
}

TEST_F(TableHistoryTest, DeniesOnlyInTheWindowAfterCreation) {
  behaviours_.Set(Behaviour::kMaskedDenials, Setting::kAlways);
  const TablePtr early = Make("early", 1), late = Make("late", 2);
  EXPECT_TRUE(history_.DeniesWrite(*early, "AppendRows"));
  behaviours_.Advance(absl::Minutes(1));
  EXPECT_FALSE(history_.DeniesWrite(*early, "AppendRows"));
  EXPECT_FALSE(history_.DeniesWrite(*late, "AppendRows"));
}

TEST_F(TableHistoryTest, CountsBufferedRowsUntilTheyAreOld) {
  const TablePtr table = Make("t", 1);
  history_.OnStreamed(*table, StreamKind::kExplicit, 3);
  history_.OnStreamed(*table, StreamKind::kDefault, 4);
  EXPECT_EQ(history_.BufferedRows(*table), 7);
  EXPECT_EQ(history_.UncountedRows(*table), 7);
  behaviours_.Advance(absl::Seconds(70));
  EXPECT_EQ(history_.BufferedRows(*table), 7);
  EXPECT_EQ(history_.UncountedRows(*table), 4)
      << "numRows sees streams after 65 s, the default one after 300";
  behaviours_.Advance(absl::Seconds(30));
  EXPECT_EQ(history_.BufferedRows(*table), 0);
  behaviours_.Set(Behaviour::kSkippedCopies, Setting::kOff);
  history_.OnStreamed(*table, StreamKind::kDefault, 5);
  EXPECT_EQ(history_.BufferedRows(*table), 0);
}

TEST_F(TableHistoryTest, ForgetsBufferedRowsOfWhatWasReplaced) {
  const TablePtr table = Make("t", 1), truncated = MakeTable("t", 1, 1, 1), made_anew = MakeTable("t", 2);
  history_.OnStreamed(*table, StreamKind::kDefault, 3);
  history_.OnTableChanged(table, truncated);
  EXPECT_EQ(history_.BufferedRows(*truncated), 0);
  EXPECT_GT(history_.Replaced(table->id), absl::InfinitePast());
  history_.OnStreamed(*truncated, StreamKind::kDefault, 3);
  history_.OnTableChanged(truncated, nullptr);
  history_.OnTableChanged(nullptr, made_anew);
  EXPECT_EQ(history_.BufferedRows(*made_anew), 0);
}

TEST_F(TableHistoryTest, AFirstTableIsNoReplacement) {
  const TablePtr table = Make("t", 1);
  EXPECT_EQ(history_.Replaced(table->id), absl::InfinitePast());
  behaviours_.Set(Behaviour::kReplacedTables, Setting::kAlways);
  EXPECT_FALSE(history_.RefusesWriters(*table));
  history_.OnTableChanged(table, nullptr);
  const TablePtr again = Make("t", 2);
  EXPECT_TRUE(history_.RefusesWriters(*again));
  behaviours_.Advance(absl::Minutes(10));
  EXPECT_FALSE(history_.RefusesWriters(*again));
}

TEST_F(TableHistoryTest, KnowsTheColumnsBeforeAChangeForAWhile) {
  const TablePtr before = Make("t", 1), after = MakeTable("t", 1, 2);
  history_.OnTableChanged(before, after);
  EXPECT_EQ(history_.ChangedWithin(*after, absl::Seconds(5)), before);
  behaviours_.Advance(absl::Seconds(6));
  EXPECT_EQ(history_.ChangedWithin(*after, absl::Seconds(5)), nullptr);
  EXPECT_EQ(history_.ChangedWithin(*MakeTable("t", 9), absl::Hours(1)), nullptr) << "of another table";
}

TEST_F(TableHistoryTest, RefillsTheBurstOfUpdates) {
  const TableId id{"p", "d", "t"};
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(history_.ChargeUpdate(id, 8).ok());
  EXPECT_EQ(history_.ChargeUpdate(id, 8).code(), absl::StatusCode::kResourceExhausted);
  behaviours_.Advance(absl::Milliseconds(2300));
  EXPECT_TRUE(history_.ChargeUpdate(id, 8).ok());
  EXPECT_FALSE(history_.ChargeUpdate(id, 8).ok());
  EXPECT_TRUE(history_.ChargeUpdate({"p", "d", "other"}, 8).ok());
  behaviours_.Set(Behaviour::kUpdateRates, Setting::kOff);
  EXPECT_TRUE(history_.ChargeUpdate(id, 8).ok());
}

TEST(Behaviours, ResetGoesBackToWhatWasKept) {
  Behaviours behaviours;
  behaviours.SetAll(Setting::kOff);
  behaviours.Set(Behaviour::kLayouts, Setting::kAlways);
  behaviours.Keep();
  behaviours.SetAll(Setting::kOn);
  behaviours.SetLength(DelayLength::kReal);
  behaviours.Advance(absl::Hours(100));
  behaviours.Reset();
  EXPECT_EQ(behaviours.setting(Behaviour::kLayouts), Setting::kAlways);
  EXPECT_FALSE(behaviours.Has(Behaviour::kLocations));
  EXPECT_EQ(behaviours.length(), DelayLength::kShort);
  EXPECT_EQ(behaviours.advanced(), absl::ZeroDuration());
}

TEST(Behaviours, EveryNameIsItsOwn) {
  for (const BehaviourName& row : BehaviourNames())
    EXPECT_EQ(ParseBehaviour(row.name), row.behaviour) << row.name;
  EXPECT_FALSE(ParseBehaviour("kindness"));
}

}  // namespace
}  // namespace hakobu::localbq
