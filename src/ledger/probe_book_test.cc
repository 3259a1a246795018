#include "ledger/probe_book.h"

#include <gtest/gtest.h>

#include "ledger/ledger.h"

namespace hakobu {
namespace {

TEST(ProbeBook, KeepsTheNewestAnswerOfEachQuestionProjectAndLocation) {
  const auto ledger = Ledger::Open(":memory:");
  ASSERT_TRUE(ledger.ok()) << ledger.status();
  ProbeBook& book = (*ledger)->probes();
  EXPECT_FALSE(book.Find("p", "US", "policies_by_load")->has_value());
  const absl::Time asked = absl::FromUnixSeconds(1'700'000'000);
  for (const char* answer : {"lost", "kept"}) {
    ASSERT_TRUE(book.Keep({.project = "p",
                           .location = "US",
                           .question = "policies_by_load",
                           .answer = answer,
                           .seen = "kept: all",
                           .asked = asked})
                    .ok());
  }
  ASSERT_TRUE(
      book.Keep({.project = "p", .location = "EU", .question = "policies_by_load", .answer = "lost"}).ok());
  ASSERT_TRUE(
      book.Keep({.project = "p", .location = "US", .question = "fresh_copies", .answer = "short"}).ok());
  const auto found = book.Find("p", "US", "policies_by_load");
  ASSERT_TRUE(found.ok() && found->has_value()) << found.status();
  EXPECT_EQ((*found)->answer, "kept");
  EXPECT_EQ((*found)->asked, asked);
  const auto all = book.Answers("p", "US");
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].question, "fresh_copies");
  EXPECT_FALSE(book.Find("other", "US", "policies_by_load")->has_value());
}

TEST(ProbeBook, KnowsScratchDatasetsUntilTheyAreRemoved) {
  const auto ledger = Ledger::Open(":memory:");
  ASSERT_TRUE(ledger.ok()) << ledger.status();
  ProbeBook& book = (*ledger)->probes();
  ASSERT_TRUE(book.AddScratch("p.b").ok());
  ASSERT_TRUE(book.AddScratch("p.a").ok());
  EXPECT_EQ(*book.Scratch(), (std::vector<std::string>{"p.a", "p.b"}));
  ASSERT_TRUE(book.ForgetScratch("p.a").ok());
  EXPECT_EQ(*book.Scratch(), std::vector<std::string>{"p.b"});
}

}  // namespace
}  // namespace hakobu
