#include "base/arena.h"

#include <gtest/gtest.h>

#include <string>

namespace hakobu {
namespace {

TEST(Arena, PointersStayValidWhileItGrows) {
  Arena arena(16);
  const std::string_view first = arena.Copy("0123456789");
  const std::string_view second = arena.Copy(std::string(100, 'x'));
  EXPECT_EQ(first, "0123456789");
  EXPECT_EQ(second, std::string(100, 'x'));
  EXPECT_EQ(arena.used_bytes(), 110u);
}

TEST(Arena, ResetReusesBlocksAndDropsOutsizedOnes) {
  Arena arena(64);
  char* first = arena.Allocate(64);
  arena.Allocate(1000);
  arena.Reset();
  EXPECT_EQ(arena.used_bytes(), 0u);
  EXPECT_EQ(arena.Allocate(64), first);
}

}  // namespace
}  // namespace hakobu
