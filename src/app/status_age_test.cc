#include "app/status_age.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace hakobu {
namespace {

using testing::HasSubstr;

class StatusAge : public testing::Test {
 protected:
  StatusAge() {
    char name[] = "/tmp/hakobu-age-XXXXXX";
    folder_ = mkdtemp(name);
    ledger_ = *Ledger::Open(folder_ + "/ledger.db");
  }
  ~StatusAge() override { std::filesystem::remove_all(folder_); }

  void Want(std::string pattern, TableMode mode = TableMode::kReplace) {
    TableRule rule;
    rule.pattern = std::move(pattern);
    rule.options.mode = mode;
    config_.tables.push_back(std::move(rule));
  }
  void Ran(const std::string& id, absl::Time started, const std::string& source, bool is_delivered) {
    ASSERT_TRUE(ledger_->runs().StartRun({.id = id, .started = started}).ok());
    RunTableRecord table{.run_id = id, .source = source, .target = "p.d.t", .mode = "replace"};
    ASSERT_TRUE(ledger_->runs().AddTable(table, {}).ok());
    ASSERT_TRUE(ledger_->runs().AdvanceTable(&table, RunTableEvent::kRead).ok());
    table.error = is_delivered ? "" : "read shop.members: no such table";
    for (const RunTableEvent event : is_delivered
                                         ? std::vector{RunTableEvent::kPublish, RunTableEvent::kPublished}
                                         : std::vector{RunTableEvent::kFail}) {
      ASSERT_TRUE(ledger_->runs().AdvanceTable(&table, event).ok());
    }
  }
  std::vector<LateTable> Late() { return *FindLate(ledger_.get(), config_, absl::Hours(26), now_); }

  const absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  Config config_;
  std::string folder_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(StatusAge, ATableIsAsOldAsTheStartOfTheLastRunThatDeliveredIt) {
  Want("shop.*");
  Ran("1", now_ - absl::Hours(50), "shop.members", true);
  Ran("2", now_ - absl::Hours(25), "shop.members", true);
  EXPECT_TRUE(Late().empty());
  Ran("3", now_ - absl::Hours(1), "shop.visits", false);
  ASSERT_EQ(Late().size(), 1u);
  EXPECT_EQ(Late()[0].source, "shop.visits");
  EXPECT_THAT(LateText(Late(), absl::Hours(26), now_),
              HasSubstr("late: shop.visits: nothing is known to be delivered"));
}

TEST_F(StatusAge, AFailedRunDoesNotMakeATableYounger) {
  Want("shop.members");
  Ran("1", now_ - absl::Hours(30), "shop.members", true);
  Ran("2", now_ - absl::Hours(2), "shop.members", false);
  ASSERT_EQ(Late().size(), 1u);
  EXPECT_EQ(Late()[0].as_of, now_ - absl::Hours(30));
  EXPECT_THAT(LateText(Late(), absl::Hours(26), now_), HasSubstr("1 d 6 h old, at most 1d2h"));
}

TEST_F(StatusAge, WhatTheConfigurationNoLongerWantsIsNotJudgedAndWhatItWantsAndNobodyDeliveredIs) {
  Want("shop.members");
  Ran("1", now_ - absl::Hours(90), "shop.old", true);
  ASSERT_EQ(Late().size(), 1u);
  EXPECT_EQ(Late()[0].source, "shop.members");
  EXPECT_EQ(Late()[0].as_of, absl::InfinitePast());
  EXPECT_EQ(FindLate(nullptr, config_, absl::Hours(26), now_)->size(), 1u);
}

TEST_F(StatusAge, AStreamedTableIsJudgedByTheStreamAndNotByItsNightsBefore) {
  Want("shop.members", TableMode::kStream);
  Ran("1", now_ - absl::Hours(1), "shop.members", true);
  ASSERT_EQ(Late().size(), 1u);
  const auto begin = [](StreamTableRecord* record) {
    record->target = "p.d.t";
    record->mode = "upsert";
  };
  ASSERT_TRUE(ledger_->streams().Advance("shop.members", StreamTableEvent::kBegin, begin).ok());
  StreamHealth health;
  health.looked = health.fresh_until = now_ - absl::Seconds(2);
  ASSERT_TRUE(ledger_->streams().StoreHealth(health).ok());
  ASSERT_EQ(Late().size(), 1u);
  EXPECT_EQ(Late()[0].reason, "beginning");
}

}  // namespace
}  // namespace hakobu
