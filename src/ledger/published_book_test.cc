#include "ledger/published_book.h"

#include <gtest/gtest.h>

#include "ledger/ledger.h"

namespace hakobu {
namespace {

TEST(PublishedBook, KeepsTheLastContentOfEachTargetWhole) {
  const auto ledger = Ledger::Open(":memory:");
  ASSERT_TRUE(ledger.ok()) << ledger.status();
  PublishedBook& book = (*ledger)->published();
  EXPECT_FALSE(book.Published("p.d.t")->has_value());
  const uint64_t sum = 0xFEDCBA9876543210u;  // beyond what a signed number holds
  for (const uint64_t rows : {1, 2}) {
    ASSERT_TRUE(book.RecordPublished({.target = "p.d.t",
                                      .run_id = "r",
                                      .form = "f",
                                      .rows = rows,
                                      .content = sum,
                                      .created_ms = 17,
                                      .modified_ms = 18})
                    .ok());
  }
  const auto found = book.Published("p.d.t");
  ASSERT_TRUE(found.ok() && found->has_value()) << found.status();
  EXPECT_EQ((*found)->rows, 2u);
  EXPECT_EQ((*found)->content, sum);
  EXPECT_EQ((*found)->created_ms, 17);
  EXPECT_EQ((*found)->modified_ms, 18);
  EXPECT_FALSE(book.Published("p.d.other")->has_value());
}

}  // namespace
}  // namespace hakobu
