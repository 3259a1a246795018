#include "base/status.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

TEST(Status, PhrasesChainFromOutsideInAndKeepCodeAndPayload) {
  absl::Status inner = absl::UnavailableError("lost connection (2013)");
  inner.SetPayload("type/url", absl::Cord("p"));
  const absl::Status outer = Annotate(Annotate(inner, "read chunk 17"), "deliver shop.members");
  EXPECT_EQ(View(outer.message()), "deliver shop.members: read chunk 17: lost connection (2013)");
  EXPECT_EQ(outer.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(outer.GetPayload("type/url"), absl::Cord("p"));
}

TEST(Status, TheInnermostHintWins) {
  const absl::Status inner = WithHint(absl::UnavailableError("gone"), "raise net_write_timeout");
  const absl::Status outer = WithHint(Annotate(inner, "read"), "try again");
  EXPECT_EQ(View(outer.message()), "read: gone; hint: raise net_write_timeout");
}

TEST(Status, OkStaysOk) {
  EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok());
  EXPECT_TRUE(WithHint(absl::OkStatus(), "x").ok());
}

}  // namespace
}  // namespace hakobu
