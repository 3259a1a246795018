#include "destination/retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "destination/error.h"

namespace hakobu {
namespace {

using ::testing::HasSubstr;

TEST(Remedy, ExpectedOffsetIsReadFromTheText) {
  EXPECT_EQ(ExpectedOffset("The offset is beyond stream, expected offset 17, received 20"), 17);
  EXPECT_EQ(ExpectedOffset("expected offset 0, received 5"), 0);
  EXPECT_EQ(ExpectedOffset("expected offset , received 5"), std::nullopt);
  EXPECT_EQ(ExpectedOffset("expected offset -4, received 5"), std::nullopt);
  EXPECT_EQ(ExpectedOffset("nothing"), std::nullopt);
}

class RetryLoop : public ::testing::Test {
 protected:
  RetryContext Context() {
    return {&clock_, &cancellation_, [this] { return jitter_; }};
  }
  FakeClock clock_;
  Cancellation cancellation_;
  double jitter_ = 1;
};

TEST_F(RetryLoop, DelaysDoubleUpToTheLongest) {
  const RetryPolicy policy = {
      .first_delay = absl::Seconds(1), .longest_delay = absl::Seconds(5), .max_tries = 6};
  std::vector<int64_t> at;
  const absl::Status status = Retry(policy, Context(), Idempotency::kIdempotent, [&] {
    at.push_back(absl::ToUnixSeconds(clock_.Now()));
    return absl::UnavailableError("down");
  });
  EXPECT_THAT(at, ::testing::ElementsAre(0, 1, 3, 7, 12, 17));
  EXPECT_THAT(std::string(status.message()), HasSubstr("after 6 tries in 17 s: down"));
}

TEST_F(RetryLoop, JitterIsAtLeastHalf) {
  jitter_ = 0;
  const RetryPolicy policy = {.first_delay = absl::Seconds(4), .max_tries = 2};
  Retry(policy, Context(), Idempotency::kIdempotent, [] {
    return absl::UnavailableError("down");
  }).IgnoreError();
  EXPECT_EQ(clock_.Now(), absl::UnixEpoch() + absl::Seconds(2));
}

TEST_F(RetryLoop, NoTryBeginsAfterTheTime) {
  const RetryPolicy policy = {.first_delay = absl::Seconds(10), .max_elapsed = absl::Seconds(60)};
  EXPECT_FALSE(
      Retry(policy, Context(), Idempotency::kIdempotent, [] { return absl::UnavailableError("down"); }).ok());
  EXPECT_LE(clock_.Now(), absl::UnixEpoch() + absl::Seconds(60));
}

TEST_F(RetryLoop, OnlyWhatIsIdempotentAndTransient) {
  int calls = 0;
  auto fail_with = [&](absl::Status status) {
    calls = 0;
    return [this, status, &calls = calls] {
      ++calls;
      return status;
    };
  };
  (void)Retry({}, Context(), Idempotency::kOnce, fail_with(absl::UnavailableError("down")));
  EXPECT_EQ(calls, 1);
  (void)Retry({}, Context(), Idempotency::kIdempotent, fail_with(absl::InvalidArgumentError("bad")));
  EXPECT_EQ(calls, 1);
}

TEST_F(RetryLoop, StopsWhenCancelled) {
  const absl::Status status = Retry({}, Context(), Idempotency::kIdempotent, [&] {
    cancellation_.Cancel();
    return absl::UnavailableError("down");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
}

TEST(SleepFor, IsCutShortOnTheRealClock) {
  Cancellation cancellation;
  RetryContext context;
  context.cancellation = &cancellation;
  std::thread other([&] {
    absl::SleepFor(absl::Milliseconds(50));
    cancellation.Cancel();
  });
  const absl::Time start = absl::Now();
  EXPECT_EQ(SleepFor(context, absl::Seconds(30)).code(), absl::StatusCode::kCancelled);
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  other.join();
}

TEST(RestError, KeepsReasonStatusAndHint) {
  const absl::Status status = RestError(
      "get table p.d.t", 403,
      R"({"error":{"code":403,"message":"Access Denied: Table","errors":[{"reason":"accessDenied"}]}})");
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrorReason(status), "accessDenied");
  EXPECT_EQ(HttpStatus(status), 403);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("get table p.d.t: HTTP 403 (accessDenied): Access Denied: Table; hint: "));
  EXPECT_EQ(RestError("x", 502, "<html>Bad gateway</html>").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(RestError("x", 429, "{}").code(), absl::StatusCode::kResourceExhausted);
}

TEST(RowErrors, SurviveTheStatus) {
  const absl::Status status =
      WithRowErrors(absl::InvalidArgumentError("x"), {{7, "bad \xff date"}, {9, "b"}});
  const std::vector<RowError> errors = RowErrors(status);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].row, 7);
  EXPECT_EQ(errors[1].message, "b");
  EXPECT_TRUE(RowErrors(absl::OkStatus()).empty());
}

}  // namespace
}  // namespace hakobu
