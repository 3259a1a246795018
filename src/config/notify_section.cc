#include "config/notify_section.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "config/section_builder.h"

namespace hakobu {
namespace {

constexpr int64_t kShortestSecret = 16;  // bytes

ChannelConfig* ChannelOf(NotifyConfig& notify, const std::string& name) {
  const auto found = std::find_if(notify.channels.begin(), notify.channels.end(),
                                  [&](const ChannelConfig& channel) { return channel.name == name; });
  if (found != notify.channels.end()) return &*found;
  ChannelConfig& channel = notify.channels.emplace_back();
  channel.name = name;
  return &channel;
}

Section ChannelSection() {
  SectionBuilder<ChannelConfig> builder(
      "Ways to somebody, each under a name of your own; every message goes to each whose `least` it reaches. "
      "`hakobu notify test` tries them.");
  builder
      .Choose<ChannelKind>("type", &ChannelConfig::type,
                           {{ChannelKind::kSlack, "slack", "an incoming webhook of Slack's"},
                            {ChannelKind::kWebhook, "webhook", "a POST of JSON, signed with `secret`"},
                            {ChannelKind::kPagerDuty, "pagerduty", "PagerDuty's Events API v2"},
                            {ChannelKind::kCommand, "command", "a command, with the JSON on its input"}},
                           "What it is.")
      .Required();
  builder
      .Private("url", &ChannelConfig::url,
               "slack, webhook: where to; whoever knows it can write there. pagerduty: another address than "
               "https://events.pagerduty.com/v2/enqueue.")
      .Example("${env:SLACK_WEBHOOK}");
  builder
      .Private("secret", &ChannelConfig::secret,
               "webhook: each message carries HMAC-SHA256 of its time and body with it.", kShortestSecret)
      .Example("${file:/run/secrets/hakobu-webhook}");
  builder
      .Private("routing_key", &ChannelConfig::routing_key,
               "pagerduty: the integration key of the service's Events API v2 integration.")
      .Example("${env:PAGERDUTY_ROUTING_KEY}");
  builder
      .Text("command", &ChannelConfig::command,
            "command: run by /bin/sh; exit code 0 within 30 s means that the message is delivered.")
      .Example("/usr/local/bin/page-somebody");
  builder.Choose<NoticeLevel>("least", &ChannelConfig::least,
                              {{NoticeLevel::kWarning, "warning", "everything"},
                               {NoticeLevel::kCritical, "critical",
                                "what should wake somebody: data that is missing or stands still"}},
                              "The least that is sent there.");
  return builder.Take();
}

Section PingSection() {
  SectionBuilder<PingConfig> builder(
      "An address that is asked (GET) after each run that delivered, and again and again while a stream is "
      "well: a "
      "service such as healthchecks.io then tells somebody when it is not asked, which also covers a machine "
      "that is off.");
  builder.Private("url", &PingConfig::url, "The address.").Required().Example("${env:PING_URL}");
  builder.Duration("every", &PingConfig::every, absl::Seconds(1), absl::Hours(24),
                   "How often, while a stream is well.");
  return builder.Take();
}

void CheckChannel(const ChannelConfig& channel, ConfigProblems* problems) {
  const std::string path = fmt::format("notify.channels.{}", channel.name);
  const ChannelKind type = channel.type;
  struct Use {
    const char* key;
    bool given, needed, allowed;
  };
  const bool slack = type == ChannelKind::kSlack, webhook = type == ChannelKind::kWebhook;
  const bool pagerduty = type == ChannelKind::kPagerDuty, command = type == ChannelKind::kCommand;
  const auto given = [&](const char* key) { return problems->Has(fmt::format("{}.{}", path, key)); };
  for (const Use& use :
       {Use{"url", given("url"), slack || webhook, !command}, Use{"secret", given("secret"), false, webhook},
        Use{"routing_key", given("routing_key"), pagerduty, pagerduty},
        Use{"command", given("command"), command, command}}) {
    if (use.given && !use.allowed) {
      problems->Add(fmt::format("{}.{}", path, use.key), "it with another type of channel",
                    fmt::format("type: {}", NameOf(type)));
    } else if (!use.given && use.needed) {
      problems->Add(path, fmt::format("`{}` with type: {}", use.key, NameOf(type)), "none");
    }
  }
  if (command && given("command") && absl::StripAsciiWhitespace(channel.command).empty())
    problems->Add(path + ".command", "a command", "an empty one", "it would end well and tell nobody");
}

bool IsDay(const std::string& text) {
  absl::CivilDay day;
  return text.size() == 10 && absl::ParseCivilTime(text, &day);
}

void CheckAccept(const AcceptRule& rule, const std::string& path, ConfigProblems* problems) {
  if (std::count(rule.values.begin(), rule.values.end(), '.') != 2) {
    problems->Add(path + ".values", "database.table.column", fmt::format("\"{}\"", rule.values));
  }
  if (!rule.until.empty() && !IsDay(rule.until)) {
    problems->Add(path + ".until", "a day such as \"2027-03-31\"", fmt::format("\"{}\"", rule.until));
  }
  if (rule.until.empty() && rule.count == 0) {
    problems->Add(path, "a `count`, or `until` a day", "neither",
                  "what is accepted for good in any number would hide what is new");
  }
}

}  // namespace

Section NotifySection() {
  SectionBuilder<NotifyConfig> builder(
      "Who is told when something is wrong, once a cause, and when it is well again (docs/alerts.md).");
  builder.NestedMap("channels", &ChannelOf, ChannelSection());
  builder.Duration("again", &NotifyConfig::again, absl::ZeroDuration(), absl::Hours(24 * 30),
                   "What lasts is said again after so long. 0s: never.");
  builder.Duration("outage_after", &NotifyConfig::outage_after, absl::ZeroDuration(), absl::Hours(24),
                   "A side of a stream that is away for less is no message.");
  builder.Duration("stream_lag", &NotifyConfig::stream_lag, absl::Seconds(1), absl::Hours(24 * 7),
                   "A stream that is further behind is a message.");
  builder.Nested("ping", &NotifyConfig::ping, PingSection());
  return builder.Take();
}

Section MetricsSection() {
  SectionBuilder<MetricsConfig> builder("What `hakobu run` leaves for Prometheus; a stream has `listen`.");
  builder
      .Text("textfile", &MetricsConfig::textfile,
            "File that is written anew at the end of each run, for node-exporter's textfile collector; all "
            "may read it.")
      .Example("/var/lib/prometheus/node-exporter/hakobu.prom");
  return builder.Take();
}

Section AcceptSection() {
  SectionBuilder<AcceptRule> builder(
      "Values that BigQuery cannot hold and that you know of: they are delivered as `invalid` says and "
      "reported, but are no exit code 3 and no message.");
  builder.Text("values", &AcceptRule::values, "database.table.column; `*` and `?` match within each name.")
      .Required()
      .Example("shop.members.birthday");
  builder.Integer("count", &AcceptRule::count, 0, 1'000'000'000'000,
                  "So many of each column and run at the most; more are news. 0: any number.");
  builder.Text("until", &AcceptRule::until, "The last day on which they are accepted, in UTC.")
      .Example("\"2027-03-31\"");
  builder.Text("why", &AcceptRule::why, "For whoever asks later.").Example("imported in 2009, ticket 4711");
  return builder.Take();
}

void CheckNotify(const Config& config, ConfigProblems* problems) {
  for (const ChannelConfig& channel : config.notify.channels) CheckChannel(channel, problems);
  for (size_t i = 0; i < config.accept.size(); ++i)
    CheckAccept(config.accept[i], fmt::format("accept[{}]", i), problems);
}

}  // namespace hakobu
