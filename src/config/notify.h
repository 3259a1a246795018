// Whom hakobu tells when something is wrong, how, and what is known and no news (docs/alerts.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "base/enum_name.h"
#include "config/secret.h"

namespace hakobu {

// How much a message matters; what pages somebody at night is kCritical.
enum class NoticeLevel : uint8_t { kWarning, kCritical };
inline constexpr std::string_view kNoticeLevelNames[] = {"warning", "critical"};
constexpr std::span<const std::string_view> NamesOf(NoticeLevel) {
  return kNoticeLevelNames;
}

enum class ChannelKind : uint8_t { kSlack, kWebhook, kPagerDuty, kCommand };
inline constexpr std::string_view kChannelKindNames[] = {"slack", "webhook", "pagerduty", "command"};
constexpr std::span<const std::string_view> NamesOf(ChannelKind) {
  return kChannelKindNames;
}

// One way to somebody.
struct ChannelConfig {
  std::string name;
  ChannelKind type = ChannelKind::kWebhook;
  Secret url;           // slack, webhook; pagerduty: another address than the US region's
  Secret secret;        // webhook: signs each message
  Secret routing_key;   // pagerduty: of the service's Events API v2 integration
  std::string command;  // run by /bin/sh
  NoticeLevel least = NoticeLevel::kWarning;
};

// A service that is told that all is well, and wakes somebody when it is not told.
struct PingConfig {
  Secret url;
  absl::Duration every = absl::Minutes(5);  // while a stream is well
};

struct NotifyConfig {
  std::vector<ChannelConfig> channels;
  absl::Duration again = absl::Hours(24);          // what lasts is said again after so long; zero: never
  absl::Duration outage_after = absl::Minutes(2);  // a side that is away for less is no message
  absl::Duration stream_lag = absl::Minutes(15);   // a stream that is further behind is one
  std::optional<PingConfig> ping;
};

struct MetricsConfig {
  std::string textfile;  // of node-exporter's collector; empty: none
};

// Values that BigQuery cannot hold and somebody knows of.
struct AcceptRule {
  std::string values;  // "shop.members.birthday"; globs in each part
  int64_t count = 0;   // in one run; more are news. 0: any
  std::string until;   // "2027-03-31", the last day in UTC; empty: for good
  std::string why;
};

}  // namespace hakobu
