#include "notify/message.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <nlohmann/json.hpp>

namespace hakobu {
namespace {

using nlohmann::ordered_json;

constexpr size_t kLongestSummary = 1024;    // characters, of PagerDuty's
constexpr size_t kLongestDedupKey = 255;    // the same
constexpr size_t kLongestSlackText = 3000;  // bytes; Slack cuts at 4,000 characters

std::string Dump(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string TextOf(const ordered_json& event, const char* key) {
  return event.value(key, std::string());
}

ordered_json Parsed(std::string_view event_json) {
  ordered_json event = ordered_json::parse(event_json, nullptr, false);
  return event.is_object() ? event : ordered_json::object();
}

std::string Hex(const unsigned char* bytes, size_t size) {
  std::string text;
  for (size_t i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

std::string HmacSha256(const std::string& key, const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  return Hex(digest, size);
}

std::string Sha256Hex(const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return Hex(digest, sizeof(digest));
}

std::string Cut(std::string text, size_t most) {
  if (text.size() <= most) return text;
  size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

// What Slack takes for markup in the text of others
// [api.slack.com/reference/surfaces/formatting#escaping].
std::string SlackEscaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string DedupKey(const ordered_json& event) {
  const std::string key = "hakobu/" + TextOf(event, "key");
  return key.size() <= kLongestDedupKey ? key : "hakobu/" + Sha256Hex(key);
}

std::string Summary(const ordered_json& event) {
  const std::string kind = TextOf(event, "event");
  return fmt::format("{}hakobu {}: {}",
                     kind == "recovered" ? "over: "
                     : kind == "lasting" ? "still: "
                                         : "",
                     TextOf(event, "configuration"), TextOf(event, "title"));
}

}  // namespace

std::string MessageText(std::string_view event_json) {
  const ordered_json event = Parsed(event_json);
  std::string text = Summary(event);
  if (const std::string detail = TextOf(event, "detail"); !detail.empty()) text += "\n" + detail;
  return text + fmt::format("\n{} · since {} · {} on {}", TextOf(event, "level"), TextOf(event, "since"),
                            TextOf(event, "cause"), TextOf(event, "host"));
}

HttpMessage SlackMessage(std::string_view event_json) {
  const std::string text = SlackEscaped(Cut(MessageText(event_json), kLongestSlackText));
  return {{"Content-Type: application/json; charset=utf-8"}, Dump({{"text", text}})};
}

HttpMessage WebhookMessage(std::string_view event_json, const std::string& id, const Secret& secret,
                           absl::Time now) {
  ordered_json body = {{"id", id}};
  body.update(Parsed(event_json));
  HttpMessage message{{"Content-Type: application/json", "Idempotency-Key: " + id}, Dump(body)};
  const std::string timestamp = fmt::format("{}", absl::ToUnixSeconds(now));
  message.headers.push_back("Hakobu-Timestamp: " + timestamp);
  if (!secret.empty()) {
    message.headers.push_back("Hakobu-Signature: v1=" +
                              HmacSha256(secret.Reveal(), timestamp + "." + message.body));
  }
  return message;
}

HttpMessage PagerDutyMessage(std::string_view event_json, const Secret& routing_key) {
  const ordered_json event = Parsed(event_json);
  ordered_json body = {{"routing_key", routing_key.Reveal()},
                       {"event_action", TextOf(event, "event") == "recovered" ? "resolve" : "trigger"},
                       {"dedup_key", DedupKey(event)},
                       {"client", "hakobu"},
                       {"payload",
                        {{"summary", Cut(Summary(event), kLongestSummary)},
                         {"source", TextOf(event, "host")},
                         {"severity", TextOf(event, "level")},
                         {"timestamp", TextOf(event, "at")},
                         {"component", TextOf(event, "configuration")},
                         {"class", TextOf(event, "cause")},
                         {"custom_details", event}}}};
  return {{"Content-Type: application/json"}, Dump(body)};
}

}  // namespace hakobu
