#include "notify/carrier.h"

#include <fmt/format.h>

#include <charconv>

#include "base/escape.h"
#include "base/hidden_text.h"
#include "base/status.h"
#include "notify/message.h"
#include "notify/shell_command.h"

namespace hakobu {
namespace {

constexpr size_t kLongestReply = 64 << 10;
constexpr size_t kQuoted = 200;  // bytes of a reply

// A receiver may quote what it was sent.
std::string Quoted(std::string_view reply, const ChannelConfig& channel) {
  const std::string secrets[] = {channel.url.Reveal(), channel.secret.Reveal(), channel.routing_key.Reveal()};
  return EscapeControl(WithoutHidden(reply.substr(0, kQuoted), secrets));
}

absl::Duration AskedFor(const HttpResponse& response) {
  const std::string_view text = response.Header("retry-after");
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return error == std::errc() && seconds > 0 ? absl::Seconds(seconds) : absl::ZeroDuration();
}

}  // namespace

CarriedOff Carrier::Post(const ChannelConfig& channel, const std::string& url,
                         std::vector<std::string> headers, const std::string& body,
                         const Cancellation& cancel) {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = std::move(headers);
  request.body = body;
  request.timeout = kReceiverPatience;
  request.longest_answer = kLongestReply;
  const absl::StatusOr<HttpResponse> response = http_.Send(request, &cancel);
  if (!response.ok()) return {response.status(), {}};
  if (response->status / 100 == 2) return {absl::OkStatus(), {}};
  return {absl::UnavailableError(
              fmt::format("the receiver answered {} {}", response->status, Quoted(response->body, channel))),
          AskedFor(*response)};
}

CarriedOff Carrier::Carry(const ChannelConfig& channel, std::string_view event_json, const std::string& id,
                          absl::Time now, const Cancellation& cancel) {
  HttpMessage message;
  std::string url = channel.url.Reveal();
  switch (channel.type) {
    case ChannelKind::kCommand:
      return {RunShellCommand(channel.command, std::string(event_json) + "\n",
                              {{"HAKOBU_NOTICE", id}, {"HAKOBU_TEXT", MessageText(event_json)}},
                              kCommandPatience, cancel),
              {}};
    case ChannelKind::kSlack:
      message = SlackMessage(event_json);
      break;
    case ChannelKind::kWebhook:
      message = WebhookMessage(event_json, id, channel.secret, now);
      break;
    case ChannelKind::kPagerDuty:
      message = PagerDutyMessage(event_json, channel.routing_key);
      if (url.empty()) url = kPagerDutyUrl;
      break;
  }
  return Post(channel, url, std::move(message.headers), message.body, cancel);
}

absl::Status Carrier::Ping(const PingConfig& ping, const Cancellation& cancel) {
  HttpRequest request;
  request.url = ping.url.Reveal();
  request.timeout = kReceiverPatience;
  request.longest_answer = kLongestReply;
  HAKOBU_ASSIGN_OR_RETURN(const HttpResponse response, http_.Send(request, &cancel));
  if (response.status / 100 == 2) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("the receiver answered {}", response.status));
}

}  // namespace hakobu
