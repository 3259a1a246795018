#include "app/stream_conditions.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/alert_text.h"
#include "base/status.h"
#include "delivery/stream/headroom.h"

namespace hakobu {
namespace {

// What comes back within so long is taken for one trouble.
constexpr absl::Duration kStreamSettle = absl::Minutes(2);

// How far the table that is the furthest behind is; none when no table is whole.
std::optional<absl::Duration> LagOf(const StreamStatus& status, absl::Time now) {
  std::optional<absl::Duration> most;
  for (const StreamTableStatus& table : status.tables) {
    if (table.state != StreamTableState::kWhole || table.fresh_until == absl::InfinitePast()) continue;
    most = std::max(most.value_or(absl::ZeroDuration()), now - std::min(now, table.fresh_until));
  }
  return most;
}

void SeeOutages(const StreamStatus& status, const NotifyConfig& config, absl::Time now, Observation* seen) {
  for (const std::string_view subject : kOutageSubjectNames) {
    const std::string cause = fmt::format("stream:outage:{}", subject);
    const auto outage = std::find_if(status.outages.begin(), status.outages.end(),
                                     [&](const Outage& each) { return NameOf(each.subject) == subject; });
    if (outage == status.outages.end()) {
      seen->looked_at.push_back(cause);
    } else if (now - outage->since >= config.outage_after) {
      seen->present.push_back(
          {.cause = cause,
           .level = NoticeLevel::kCritical,
           .title =
               fmt::format("{} {}: the stream waits, nothing is lost as long as the source keeps its log",
                           SpokenName(outage->subject), outage->refuses() ? "refuses" : "is away"),
           .detail = outage->Text() + (status.headroom.empty() ? "" : "\n" + status.headroom)});
    }
  }
}

void SeeTables(const StreamStatus& status, Observation* seen) {
  for (const StreamTableStatus& table : status.tables) {
    if (table.state == StreamTableState::kStopped) {
      seen->present.push_back({.cause = "stream:table:" + table.source,
                               .level = NoticeLevel::kCritical,
                               .title = fmt::format("{} is not delivered any more", table.source),
                               .detail = WithoutQuoted(table.reason)});
    }
    if (table.quarantined > 0) {
      seen->present.push_back(
          {.cause = "stream:values:" + table.source,
           .level = NoticeLevel::kWarning,
           .title = fmt::format("values of {} cannot be held by BigQuery", table.source),
           .detail = fmt::format("{} since the stream was started; the log names their columns and keys.",
                                 table.quarantined)});
    }
  }
  seen->looked_at.push_back("stream:table:*");
}

void SeeGaps(const std::vector<StreamGapRecord>& gaps, Observation* seen) {
  for (const StreamGapRecord& gap : gaps) {
    if (gap.state != GapState::kOpen) continue;
    seen->present.push_back(
        {.cause = fmt::format("stream:gap:{}", gap.id),
         .level = NoticeLevel::kCritical,
         .title = fmt::format("gap {}: changes may not have been delivered", gap.id),
         .detail = fmt::format("{}. `hakobu gaps` shows it, `hakobu repair` closes it.", gap.cause)});
  }
  seen->looked_at.push_back("stream:gap:*");
}

}  // namespace

Observation ObserveStream(const StreamStatus& status, const std::optional<std::vector<StreamGapRecord>>& gaps,
                          const NotifyConfig& config, absl::Time now) {
  Observation seen;
  seen.settle = kStreamSettle;
  SeeOutages(status, config, now, &seen);
  if (gaps.has_value()) SeeGaps(*gaps, &seen);
  if (status.state != StreamPhase::kStreaming) return seen;
  seen.looked_at.push_back("stream:end");
  SeeTables(status, &seen);
  // What is away makes it late: that is one cause.
  const std::optional<absl::Duration> lag = LagOf(status, now);
  if (!lag.has_value() || !status.outages.empty()) return seen;
  if (*lag > config.stream_lag) {
    seen.present.push_back({.cause = "stream:lag",
                            .level = NoticeLevel::kCritical,
                            .title = fmt::format("the stream is {} behind", SpokenDuration(*lag)),
                            .detail = status.headroom});
  } else {
    seen.looked_at.push_back("stream:lag");
  }
  return seen;
}

Observation ObserveStreamEnd(const absl::Status& status) {
  Observation seen;
  seen.present.push_back({.cause = "stream:end",
                          .level = NoticeLevel::kCritical,
                          .title = "the stream has ended by itself: nothing is delivered",
                          .detail = WithoutQuoted(View(status.message()))});
  return seen;
}

bool IsWell(const StreamStatus& status, const NotifyConfig& config, absl::Time now) {
  return status.state == StreamPhase::kStreaming && status.outages.empty() &&
         LagOf(status, now).value_or(absl::ZeroDuration()) <= config.stream_lag;
}

}  // namespace hakobu
