#include "delivery/stream/position_keeper.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/log.h"

namespace hakobu {
namespace {

LogMark At(uint64_t offset, const char* schemas = nullptr) {
  LogMark mark;
  mark.position.offset = offset;
  if (schemas != nullptr) mark.schemas_json = std::make_shared<const std::string>(schemas);
  return mark;
}

TEST(PositionKeeper, AMarkWaitsForEveryRequestBeforeIt) {
  PositionKeeper keeper(1000);
  uint64_t first = 0, second = 0, third = 0;
  ASSERT_TRUE(keeper.Issue(10, &first));
  ASSERT_TRUE(keeper.Issue(10, &second));
  keeper.Mark(At(100));
  ASSERT_TRUE(keeper.Issue(10, &third));
  keeper.Mark(At(200));
  keeper.Acknowledge(second, 10);
  keeper.Acknowledge(third, 10);
  EXPECT_FALSE(keeper.TakeAcknowledged().has_value());
  keeper.Acknowledge(first, 10);
  const auto mark = keeper.TakeAcknowledged();
  ASSERT_TRUE(mark.has_value());
  EXPECT_EQ(mark->position.offset, 200U);
  EXPECT_FALSE(keeper.TakeAcknowledged().has_value());
  EXPECT_TRUE(keeper.idle());
}

TEST(PositionKeeper, SchemasAreNotLostWithTheirMark) {
  PositionKeeper keeper(1000);
  uint64_t ticket = 0;
  keeper.Mark(At(1, "one"));
  keeper.Mark(At(2));
  ASSERT_TRUE(keeper.Issue(1, &ticket));
  keeper.Mark(At(3));
  keeper.Acknowledge(ticket, 1);
  const auto mark = keeper.TakeAcknowledged();
  ASSERT_TRUE(mark.has_value());
  EXPECT_EQ(mark->position.offset, 3U);
  ASSERT_NE(mark->schemas_json, nullptr);
  EXPECT_EQ(*mark->schemas_json, "one");
}

TEST(PositionKeeper, IssueWaitsForRoom) {
  PositionKeeper keeper(100);
  uint64_t first = 0;
  ASSERT_TRUE(keeper.Issue(500, &first));  // larger than the budget, but alone
  EXPECT_EQ(keeper.held_bytes(), 500U);
  std::thread waiter([&] {
    uint64_t second = 0;
    EXPECT_TRUE(keeper.Issue(60, &second));
    EXPECT_EQ(second, first + 1);
    uint64_t third = 0;
    EXPECT_FALSE(keeper.Issue(60, &third));  // until Stop
  });
  EXPECT_FALSE(keeper.WaitForAll(absl::Milliseconds(30)));
  keeper.Acknowledge(first, 500);
  while (keeper.held_bytes() != 60) std::this_thread::yield();
  keeper.Stop();
  waiter.join();
}

// Twice the same answer would let the stored place pass a request that is still on its way.
TEST(PositionKeeperDeathTest, AnAnswerToNothingEndsTheProcess) {
  PositionKeeper keeper(1000);
  uint64_t ticket = 0;
  ASSERT_TRUE(keeper.Issue(10, &ticket));
  keeper.Acknowledge(ticket, 10);
  const auto again = [&] {
    SetUpLog(LogFormat::kPlain, LogSeverity::kInfo);
    keeper.Acknowledge(ticket, 10);
  };
  EXPECT_DEATH(again(), "not on its way.*start hakobu again");
}

}  // namespace
}  // namespace hakobu
