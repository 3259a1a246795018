#include "notify/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hakobu {
namespace {

using nlohmann::ordered_json;

// What is over for longer and comes back has nothing to do with it.
constexpr absl::Duration kSoonAgain = absl::Hours(12);
constexpr absl::Duration kFirstHold = absl::Minutes(30);
constexpr uint64_t kMostDoublings = 5;
constexpr size_t kLongestDetail = 2000;  // bytes

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

// Cut between characters.
std::string Shortened(const std::string& text) {
  if (text.size() <= kLongestDetail) return text;
  size_t end = kLongestDetail;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string EventJson(std::string_view event, const AlertRecord& alert, const NoticeOrigin& origin,
                      absl::Time now) {
  const ordered_json json = {{"event", event},
                             {"cause", alert.cause},
                             {"level", alert.level},
                             {"title", alert.title},
                             {"detail", alert.detail},
                             {"since", TimeText(alert.since)},
                             {"at", TimeText(now)},
                             {"key", fmt::format("{}/{}/{}", origin.ledger_id, alert.cause, alert.episode)},
                             {"configuration", origin.config_path},
                             {"host", origin.host}};
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

NoticeRecord NoticeTo(const std::string& channel, const std::string& cause, std::string event_json,
                      absl::Time now) {
  NoticeRecord notice;
  notice.channel = channel;
  notice.cause = cause;
  notice.event_json = std::move(event_json);
  notice.created = now;
  notice.next_try = now;
  return notice;
}

class Judgement {
 public:
  Judgement(const NotifyConfig& config, const NoticeOrigin& origin, absl::Time now)
      : config_(config), origin_(origin), now_(now) {}

  void Begin(const Condition& condition, const AlertRecord* before) {
    AlertRecord alert;
    alert.cause = condition.cause;
    Describe(condition, &alert);
    alert.since = alert.said = now_;
    alert.episode = before == nullptr ? 1 : before->episode + 1;
    const bool soon = before != nullptr && now_ - before->ended < kSoonAgain;
    alert.recurrences = soon ? before->recurrences + 1 : 0;
    Tell("raised", alert, "");
    changes_.alerts.push_back(std::move(alert));
  }

  void GoOn(const Condition& condition, const AlertRecord& before) {
    AlertRecord alert = before;
    alert.gone_since = absl::InfinitePast();
    Describe(condition, &alert);
    const bool worse = condition.level == NoticeLevel::kCritical && before.level != alert.level;
    // A nightly run does not end at the same minute each night.
    const absl::Duration early = config_.again / 24;
    const bool due = config_.again > absl::ZeroDuration() && now_ - before.said >= config_.again - early;
    if (due) {
      Tell("lasting", alert, "");
    } else if (worse) {
      Tell("raised", alert, before.level);
    }
    if (due || worse) alert.said = now_;
    const bool changed = due || worse || alert.title != before.title || alert.detail != before.detail ||
                         alert.level != before.level || before.gone_since != absl::InfinitePast();
    if (changed) changes_.alerts.push_back(std::move(alert));
  }

  void Gone(const AlertRecord& before, absl::Duration settle) {
    AlertRecord alert = before;
    if (before.gone_since == absl::InfinitePast()) alert.gone_since = now_;
    const bool over = now_ - alert.gone_since >= HoldFor(before.recurrences, settle);
    if (over) {
      alert.ended = now_;
      Tell("recovered", alert, "");
    }
    if (over || before.gone_since == absl::InfinitePast()) changes_.alerts.push_back(std::move(alert));
  }

  AlertChanges Take() { return std::move(changes_); }

 private:
  static void Describe(const Condition& condition, AlertRecord* alert) {
    alert->level = NameOf(condition.level);
    alert->title = condition.title;
    alert->detail = Shortened(condition.detail);
  }
  // `before`: the level that channels were told of already; empty: none was.
  void Tell(std::string_view event, const AlertRecord& alert, const std::string& before) {
    const auto reaches = [](const ChannelConfig& channel, const std::string& level) {
      return !level.empty() && (channel.least == NoticeLevel::kWarning || level == "critical");
    };
    const std::string json = EventJson(event, alert, origin_, now_);
    for (const ChannelConfig& channel : config_.channels) {
      if (reaches(channel, alert.level) && !reaches(channel, before))
        changes_.notices.push_back(NoticeTo(channel.name, alert.cause, json, now_));
    }
  }

  const NotifyConfig& config_;
  const NoticeOrigin& origin_;
  const absl::Time now_;
  AlertChanges changes_;
};

}  // namespace

bool IsLookedAt(const Observation& observation, const std::string& cause) {
  return std::any_of(observation.looked_at.begin(), observation.looked_at.end(),
                     [&](const std::string& looked_at) {
                       if (!looked_at.ends_with('*')) return looked_at == cause;
                       return cause.starts_with(std::string_view(looked_at).substr(0, looked_at.size() - 1));
                     });
}

AlertChanges Judge(const std::vector<AlertRecord>& known, const Observation& observation,
                   const NotifyConfig& config, const NoticeOrigin& origin, absl::Time now) {
  Judgement judgement(config, origin, now);
  const auto is = [](const std::string& cause) {
    return [&cause](const auto& each) { return each.cause == cause; };
  };
  for (const Condition& condition : observation.present) {
    const auto before = std::find_if(known.begin(), known.end(), is(condition.cause));
    if (before != known.end() && before->lasts()) {
      judgement.GoOn(condition, *before);
    } else {
      judgement.Begin(condition, before == known.end() ? nullptr : &*before);
    }
  }
  for (const AlertRecord& alert : known) {
    const bool present = std::any_of(observation.present.begin(), observation.present.end(), is(alert.cause));
    if (alert.lasts() && !present && IsLookedAt(observation, alert.cause))
      judgement.Gone(alert, observation.settle);
  }
  return judgement.Take();
}

std::vector<NoticeRecord> TestNotices(const std::vector<std::string>& channels, const NoticeOrigin& origin,
                                      absl::Time now) {
  AlertRecord alert;
  alert.cause = "test";
  alert.level = NameOf(NoticeLevel::kWarning);
  alert.title = "a test: messages of hakobu arrive here";
  alert.detail = "`hakobu notify test` sent it; nothing is wrong.";
  alert.since = now;
  alert.episode = static_cast<uint64_t>(absl::ToUnixMicros(now));
  std::vector<NoticeRecord> notices;
  for (const std::string& channel : channels)
    notices.push_back(NoticeTo(channel, alert.cause, EventJson("test", alert, origin, now), now));
  return notices;
}

absl::Duration HoldFor(uint64_t recurrences, absl::Duration settle) {
  if (recurrences == 0) return settle;
  return std::max(settle, kFirstHold * (int64_t{1} << std::min(recurrences - 1, kMostDoublings)));
}

absl::Time NextTry(uint64_t tries, absl::Duration asked_for, absl::Time now) {
  constexpr uint64_t kMost = 10;  // doublings, far above the longest pause
  const absl::Duration pause =
      absl::Seconds(5) * (int64_t{1} << (std::min(std::max<uint64_t>(tries, 1), kMost) - 1));
  return now + std::min(std::max(std::min(pause, absl::Minutes(15)), asked_for), absl::Hours(1));
}

}  // namespace hakobu
