// One message as each kind of channel wants it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "config/notify.h"

namespace hakobu {

struct HttpMessage {
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
};

// `event_json` as Judge wrote it; `id` is the same each time the same message is sent.
HttpMessage SlackMessage(std::string_view event_json);
// Hakobu-Signature is `v1=` and HMAC-SHA256 in hex, with the channel's secret, of Hakobu-Timestamp, a dot and
// the body.
HttpMessage WebhookMessage(std::string_view event_json, const std::string& id, const Secret& secret,
                           absl::Time now);
// [developer.pagerduty.com/docs/send-alert-event]. The event's key is the dedup_key: what is sent twice is
// one incident, and the recovery resolves it.
HttpMessage PagerDutyMessage(std::string_view event_json, const Secret& routing_key);
// For a person, with lines: what a command prints, and Slack shows.
std::string MessageText(std::string_view event_json);

inline constexpr std::string_view kPagerDutyUrl = "https://events.pagerduty.com/v2/enqueue";

}  // namespace hakobu
