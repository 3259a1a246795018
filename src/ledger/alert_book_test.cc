#include "ledger/alert_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "ledger/ledger.h"

namespace hakobu {
namespace {

using ::testing::SizeIs;

class AlertBookTest : public ::testing::Test {
 protected:
  AlertBookTest() {
    std::string name = ::testing::TempDir() + "/hakobu-alerts-XXXXXX";
    folder_ = mkdtemp(name.data());
    ledger_ = *Ledger::Open(folder_ + "/ledger.db");
  }
  ~AlertBookTest() override { std::filesystem::remove_all(folder_); }

  AlertBook& book() { return ledger_->alerts(); }
  static absl::Time At(int second) { return absl::FromUnixSeconds(1'800'000'000 + second); }
  static NoticeRecord Notice(const std::string& channel, const std::string& cause) {
    NoticeRecord notice;
    notice.channel = channel;
    notice.cause = cause;
    notice.created = notice.next_try = At(0);
    return notice;
  }
  void Post(std::vector<NoticeRecord> notices) {
    ASSERT_TRUE(book().Change([&](const auto&) { return AlertChanges{{}, notices}; }).ok());
  }

  std::string folder_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(AlertBookTest, WhatIsKnownAndWhatIsToldAreOneStep) {
  AlertRecord alert;
  alert.cause = "run:start";
  alert.since = At(0);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(book()
                    .Change([&](const std::vector<AlertRecord>& known) {
                      return known.empty() ? AlertChanges{{alert}, {Notice("a", alert.cause)}}
                                           : AlertChanges{};
                    })
                    .ok());
  }
  EXPECT_THAT(*book().Notices(10), SizeIs(1));
  ASSERT_THAT(*book().Alerts(), SizeIs(1));
  EXPECT_TRUE(book().Alerts()->front().lasts());
}

TEST_F(AlertBookTest, AMessageIsTakenByOneAndThoseOfACauseKeepTheirOrder) {
  Post({Notice("a", "x"), Notice("a", "x"), Notice("a", "y"), Notice("b", "x")});
  const auto first = *book().Claim("me", At(1), At(60));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->number, 1u);
  const auto second = *book().Claim("you", At(1), At(60));
  EXPECT_EQ(second->number, 3u) << "the second of a cause waits for the first";
  EXPECT_EQ((*book().Claim("you", At(1), At(60)))->number, 4u);
  EXPECT_FALSE(book().Claim("you", At(1), At(60))->has_value());
  EXPECT_EQ((*book().Claim("you", At(61), At(120)))->number, 1u) << "whoever took it is gone";
  NoticeRecord done = *first;
  done.state = NoticeState::kDelivered;
  EXPECT_TRUE(absl::IsFailedPrecondition(book().Settle(done, "me")));
  ASSERT_TRUE(book().Settle(done, "you").ok());
  EXPECT_EQ((*book().Claim("me", At(62), At(120)))->number, 2u);
}

TEST_F(AlertBookTest, OldOnesAreForgottenButNoNumberComesBack) {
  Post({Notice("a", "x"), Notice("a", "y")});
  for (int i = 0; i < 2; ++i) {
    auto notice = **book().Claim("me", At(1), At(60));
    notice.state = NoticeState::kDelivered;
    notice.ended = At(2);
    ASSERT_TRUE(book().Settle(notice, "me").ok());
  }
  EXPECT_EQ(*book().NextTry(), absl::InfiniteFuture());
  ASSERT_TRUE(book().Forget(At(3)).ok());
  ASSERT_THAT(*book().Notices(10), SizeIs(1));
  Post({Notice("a", "z")});
  EXPECT_EQ(book().Notices(10)->front().number, 3u);
  EXPECT_EQ(*book().NextTry(), At(0));
}

TEST_F(AlertBookTest, AttemptsAreCountedAndTheOldestForgotten) {
  for (uint64_t i = 0; i < AttemptBook::kKept + 5; ++i)
    ASSERT_EQ(*ledger_->attempts().Begin({.command = "run", .pid = 1, .began = At(0)}), i + 1);
  ASSERT_TRUE(ledger_->attempts().End(7, At(5), 2, "why").ok());
  const auto all = *ledger_->attempts().Newest(10'000);
  ASSERT_THAT(all, SizeIs(AttemptBook::kKept));
  EXPECT_EQ(all.front().ended, absl::InfinitePast());
  EXPECT_EQ(all[all.size() - 2].error, "why");
  EXPECT_EQ(all[all.size() - 2].exit_code, 2);
}

}  // namespace
}  // namespace hakobu
