#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "ledger/ledger.h"

namespace hakobu {
namespace {

class GrantBookTest : public testing::Test {
 protected:
  GrantBookTest() : folder_(testing::TempDir() + "grant_book_" + std::to_string(getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~GrantBookTest() override { std::filesystem::remove_all(folder_); }
  std::string Path() const { return folder_ + "/ledger.db"; }
  const std::string folder_;
};

TEST_F(GrantBookTest, AnAppliesStoryIsReadBackByAnotherProcess) {
  {
    auto log = Ledger::Open(Path());
    ASSERT_TRUE(log.ok()) << log.status();
    GrantApplyRecord apply;
    apply.started = absl::FromUnixSeconds(1);
    apply.project = "p";
    apply.caller = "user:me@x.com";
    apply.reason = "why";
    apply.commit = "abc";
    apply.plan_json = "{}";
    const auto id =
        (*log)->grants().StartApply(apply, {{"d", {"reader user:a@x.com", "reader user:b@x.com"}}});
    ASSERT_TRUE(id.ok()) << id.status();
    EXPECT_EQ(*id, 1);
    ASSERT_TRUE((*log)
                    ->grants()
                    .RecordTarget({1, "d", "applied", "e1", "e2", "[]", ""}, {"reader user:b@x.com"})
                    .ok());
  }
  auto log = Ledger::Open(Path());
  ASSERT_TRUE(log.ok());
  EXPECT_EQ((*(*log)->grants().Applies("p", 5))[0].state, "running");
  EXPECT_EQ((*(*log)->grants().Applies("p", 5))[0].finished, absl::InfinitePast());
  ASSERT_TRUE((*log)->grants().FinishApply(1, absl::FromUnixSeconds(2), "done", "").ok());
  const auto applies = (*log)->grants().Applies("p", 5);
  ASSERT_EQ(applies->size(), 1u);
  EXPECT_EQ((*applies)[0].commit, "abc");
  EXPECT_EQ((*applies)[0].state, "done");
  EXPECT_EQ((*(*log)->grants().Managed("p"))["d"],
            (std::map<std::string, int64_t>{{"reader user:a@x.com", 1}}));
  EXPECT_TRUE((*log)->grants().Managed("other")->empty());
  EXPECT_EQ((*(*log)->grants().Baselines("p"))["d"].etag_after, "e2");
  EXPECT_EQ((*(*log)->grants().Targets(1)).size(), 1u);
}

TEST_F(GrantBookTest, AFailedTargetIsNoBaseline) {
  auto log = Ledger::Open(Path());
  ASSERT_TRUE(log.ok());
  GrantApplyRecord apply;
  apply.project = "p";
  ASSERT_TRUE((*log)->grants().StartApply(apply, {}).ok());
  ASSERT_TRUE((*log)->grants().StartApply(apply, {}).ok());
  ASSERT_TRUE((*log)->grants().RecordTarget({1, "d", "applied", "", "e1", "[]", ""}, {}).ok());
  ASSERT_TRUE((*log)->grants().RecordTarget({2, "d", "failed", "", "", "", "no"}, {}).ok());
  EXPECT_EQ((*(*log)->grants().Baselines("p"))["d"].apply_id, 1);
}

}  // namespace
}  // namespace hakobu
