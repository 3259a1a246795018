#include "ledger/contract_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/ledger.h"

namespace hakobu {
namespace {

TEST(ContractBook, KeepsTheNewestOfEachTarget) {
  const auto ledger = Ledger::Open(":memory:");
  ASSERT_TRUE(ledger.ok()) << ledger.status();
  ContractBook& book = (*ledger)->contracts();
  EXPECT_FALSE(book.Find("p.d.t")->has_value());
  ContractRecord record{.target = "p.d.t",
                        .source = "shop.t",
                        .contract_json = "{}",
                        .sweep = true,
                        .stored = absl::FromUnixMicros(1'700'000'000'000'001)};
  ASSERT_TRUE(book.Store(record).ok());
  ASSERT_TRUE(book.Store({.target = "p.d.u", .source = "shop.u"}).ok());
  absl::StatusOr<std::optional<ContractRecord>> found = book.Find("p.d.t");
  ASSERT_TRUE(found.ok() && found->has_value()) << found.status();
  EXPECT_EQ((*found)->source, "shop.t");
  EXPECT_EQ((*found)->contract_json, "{}");
  EXPECT_TRUE((*found)->sweep);
  EXPECT_EQ((*found)->stored, record.stored);

  record.contract_json = R"({"a":1})";
  record.sweep = false;
  ASSERT_TRUE(book.StoreButSweep(record).ok());
  found = book.Find("p.d.t");
  EXPECT_EQ((*found)->contract_json, R"({"a":1})");
  EXPECT_TRUE((*found)->sweep) << "whether rows are to go is not this writer's to say";

  ASSERT_TRUE(book.EndSweep("p.d.t").ok());
  found = book.Find("p.d.t");
  EXPECT_FALSE((*found)->sweep);
  EXPECT_EQ((*found)->contract_json, R"({"a":1})");
  ASSERT_TRUE(book.StoreButSweep({.target = "p.d.new", .sweep = true}).ok());
  EXPECT_FALSE((*book.Find("p.d.new"))->sweep);
  ASSERT_TRUE(book.BeginSweep("p.d.new").ok());
  ASSERT_TRUE(book.BeginSweep("p.d.nobody").ok());
  const absl::StatusOr<std::vector<ContractRecord>> all = book.All();
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->size(), 3) << "p.d.new, p.d.t, p.d.u";
  EXPECT_EQ(all->front().target, "p.d.new");
  EXPECT_TRUE(all->front().sweep);
}

}  // namespace
}  // namespace hakobu
