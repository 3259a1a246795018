#include "notify/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hakobu {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Event(const std::string& event, const std::string& cause = "run:table:a.b") {
  return json{{"event", event},
              {"cause", cause},
              {"level", "critical"},
              {"title", "a.b was not delivered"},
              {"detail", "<!channel> & more"},
              {"since", "2027-01-15T08:00:00Z"},
              {"at", "2027-01-15T08:00:01Z"},
              {"key", "ledger/" + cause + "/1"},
              {"configuration", "shop.yaml"},
              {"host", "h"}}
      .dump();
}

TEST(Messages, SlackGetsTextThatMentionsNobody) {
  const std::string text = json::parse(SlackMessage(Event("raised")).body)["text"];
  EXPECT_THAT(text, StartsWith("hakobu shop.yaml: a.b was not delivered\n&lt;!channel&gt; &amp; more\n"));
  EXPECT_THAT(std::string(json::parse(SlackMessage(Event("recovered")).body)["text"]),
              StartsWith("over: hakobu"));
}

TEST(Messages, AWebhookIsSigned) {
  const HttpMessage message =
      WebhookMessage(Event("raised"), "l-7", Secret("sixteen-characters"), absl::FromUnixSeconds(1800000000));
  EXPECT_THAT(message.headers, Contains("Idempotency-Key: l-7"));
  EXPECT_THAT(message.headers, Contains("Hakobu-Timestamp: 1800000000"));
  EXPECT_THAT(message.headers, Contains(::testing::MatchesRegex("Hakobu-Signature: v1=[0-9a-f]{64}")));
  EXPECT_EQ(json::parse(message.body)["id"], "l-7");
  EXPECT_EQ(json::parse(message.body)["cause"], "run:table:a.b");
  EXPECT_THAT(message.body, Not(HasSubstr("sixteen")));
  EXPECT_THAT(WebhookMessage(Event("raised"), "l-7", Secret(), absl::UnixEpoch()).headers,
              Not(Contains(StartsWith("Hakobu-Signature"))));
}

TEST(Messages, PagerDutyResolvesWhatItTriggered) {
  const json raised = json::parse(PagerDutyMessage(Event("raised"), Secret("key")).body);
  const json over = json::parse(PagerDutyMessage(Event("recovered"), Secret("key")).body);
  EXPECT_EQ(raised["event_action"], "trigger");
  EXPECT_EQ(over["event_action"], "resolve");
  EXPECT_EQ(raised["dedup_key"], over["dedup_key"]);
  EXPECT_EQ(raised["routing_key"], "key");
  EXPECT_EQ(raised["payload"]["severity"], "critical");
  EXPECT_EQ(raised["payload"]["summary"], "hakobu shop.yaml: a.b was not delivered");
  const json far = json::parse(PagerDutyMessage(Event("raised", std::string(400, 'x')), Secret("key")).body);
  EXPECT_LE(far["dedup_key"].get<std::string>().size(), 255u);
}

}  // namespace
}  // namespace hakobu
