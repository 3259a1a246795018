#include "notify/carrier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "destination/fake_http.h"
#include "notify/shell_command.h"

namespace hakobu {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kEvent[] = R"({"event":"raised","cause":"run:start","title":"t","level":"critical"})";

ChannelConfig PagerAt(const FakeHttp& http) {
  ChannelConfig channel;
  channel.name = "pager";
  channel.type = ChannelKind::kPagerDuty;
  channel.url = Secret(http.url() + "/enqueue?token=in-the-address");
  channel.routing_key = Secret("the-routing-key");
  return channel;
}

TEST(Carrier, AnAnswerThatQuotesSecretsIsQuotedWithoutThem) {
  FakeHttp http([](int, const SeenHttp& seen, httplib::Response& response) {
    response.status = 429;
    response.set_header("Retry-After", "30");
    response.set_content("cannot take " + seen.body.substr(0, 60) + " at " + seen.target, "text/plain");
  });
  Carrier carrier(HttpOptions{});
  const CarriedOff result = carrier.Carry(PagerAt(http), kEvent, "id", absl::Now(), Cancellation());
  EXPECT_EQ(result.asked_for, absl::Seconds(30));
  const std::string text(View(result.status.message()));
  EXPECT_THAT(text, HasSubstr("the receiver answered 429 cannot take"));
  EXPECT_THAT(text, Not(HasSubstr("the-routing-key")));
  EXPECT_THAT(text, Not(HasSubstr("in-the-address")));
}

TEST(Carrier, OnlyAReceiversYesCounts) {
  int status = 200;
  FakeHttp http([&](int, const SeenHttp&, httplib::Response& response) { response.status = status; });
  Carrier carrier(HttpOptions{});
  for (const auto& [answer, ok] :
       {std::pair{200, true}, {202, true}, {204, true}, {302, false}, {404, false}}) {
    status = answer;
    EXPECT_EQ(carrier.Carry(PagerAt(http), kEvent, "id", absl::Now(), Cancellation()).status.ok(), ok)
        << answer;
  }
}

TEST(ShellCommand, GetsItsInputAndItsVariables) {
  EXPECT_TRUE(RunShellCommand("test \"$(cat)\" = in && test \"$V\" = 'a b'", "in", {{"V", "a b"}},
                              absl::Seconds(20), Cancellation())
                  .ok());
  EXPECT_THAT(std::string(RunShellCommand("exit 7", "", {}, absl::Seconds(20), Cancellation()).message()),
              HasSubstr("ended with 7"));
  EXPECT_THAT(std::string(RunShellCommand("kill -9 $$", "", {}, absl::Seconds(20), Cancellation()).message()),
              HasSubstr("signal 9"));
}

TEST(ShellCommand, NeitherItsSilenceNorItsInputHoldsUp) {
  EXPECT_TRUE(RunShellCommand("true", std::string(4 << 20, 'x'), {}, absl::Seconds(20), Cancellation()).ok());
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      RunShellCommand("sleep 600 & wait", "", {}, absl::Milliseconds(300), Cancellation())));
  Cancellation cancelled;
  cancelled.Cancel();
  EXPECT_TRUE(absl::IsCancelled(RunShellCommand("sleep 600", "", {}, absl::Seconds(20), cancelled)));
}

}  // namespace
}  // namespace hakobu
