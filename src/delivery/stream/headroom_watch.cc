#include "delivery/stream/headroom_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "base/status.h"
#include "source/log_state.h"

namespace hakobu {
namespace {

constexpr absl::Duration kLookEvery = absl::Seconds(5);
constexpr absl::Duration kFirstLook = absl::Seconds(1);
constexpr absl::Duration kRatesOver = absl::Minutes(1);
constexpr absl::Duration kWarnAgain = absl::Minutes(10);

// Infinity where there is no end.
double SecondsOf(absl::Duration duration) {
  return duration == absl::InfiniteDuration() ? std::numeric_limits<double>::infinity()
                                              : absl::ToDoubleSeconds(duration);
}

}  // namespace

HeadroomLevel LevelOf(const Headroom& headroom, const LogState& state) {
  if (headroom.already_gone) return HeadroomLevel::kGone;
  if (!headroom.at_this_rate || !state.kept_for) return HeadroomLevel::kEnough;
  if (*headroom.at_this_rate == absl::InfiniteDuration()) return HeadroomLevel::kEnough;
  if (*headroom.at_this_rate <= *state.kept_for / 10) return HeadroomLevel::kTenth;
  if (*headroom.at_this_rate <= *state.kept_for / 4) return HeadroomLevel::kQuarter;
  return *headroom.at_this_rate <= *state.kept_for / 2 ? HeadroomLevel::kHalf : HeadroomLevel::kEnough;
}

LogRates::Rates LogRates::Take(const LogState& state, std::string_view file, uint64_t offset,
                               absl::Time now) {
  const auto behind = state.BytesAfter(file, offset);
  while (!samples_.empty()) {
    const Sample& oldest = samples_.front();
    const bool usable = state.Find(oldest.end_file) != nullptr && state.Find(oldest.file) != nullptr;
    if (usable && now - oldest.at <= kRatesOver) break;
    samples_.pop_front();
  }
  Rates rates;
  if (!samples_.empty() && behind) {
    const Sample& oldest = samples_.front();
    const double seconds = absl::ToDoubleSeconds(now - oldest.at);
    const auto written = static_cast<double>(*state.BytesAfter(oldest.end_file, oldest.end_offset));
    const auto was_behind = static_cast<double>(*state.BytesAfter(oldest.file, oldest.offset));
    if (seconds > 0) {
      rates.written_per_s = written / seconds;
      rates.delivered_per_s = std::max(was_behind - static_cast<double>(*behind), 0.0) / seconds;
    }
  }
  samples_.push_back({now, state.file, std::string(file), state.offset, offset});
  return rates;
}

void HeadroomWatch::SetDelivered(const DeliveredPoint& position, absl::Time whole_until) {
  absl::MutexLock lock(&mutex_);
  position_ = position;
  whole_until_ = whole_until;
}

StreamHealth HeadroomWatch::health() const {
  absl::MutexLock lock(&mutex_);
  return health_;
}

void HeadroomWatch::Drop() {
  if (source_ == nullptr) return;
  context_->connections.Remove(source_.get());
  source_.reset();
}

void HeadroomWatch::Run() {
  for (absl::Duration wait = kFirstLook; !context_->stop.WaitFor(wait); wait = kLookEvery) {
    const absl::Status looked = Look();
    if (looked.ok()) {
      refused_.clear();
      continue;
    }
    Drop();
    if (context_->stop.cancelled()) break;
    if (const std::string why(View(looked.message())); why != refused_) {
      refused_ = why;
      Log(LogSeverity::kWarning, "how far the source's log reaches back is not known", {{"reason", why}});
    }
  }
  Drop();
}

absl::Status HeadroomWatch::Look() {
  if (source_ == nullptr) {
    HAKOBU_ASSIGN_OR_RETURN(source_, Connection::Open(context_->connect));
    context_->connections.Add(source_.get());
  }
  std::optional<std::set<std::string>> prepared;
  if (context_->prepared.waiting() && source_->flavor() == ServerFlavor::kMariaDb) {
    HAKOBU_ASSIGN_OR_RETURN(prepared, PreparedWatch::Read(source_.get()));
  }
  HAKOBU_ASSIGN_OR_RETURN(const LogState state, ReadLogState(source_.get()));
  if (prepared.has_value()) context_->prepared.Publish(*std::move(prepared), state);
  DeliveredPoint position;
  StreamHealth health;
  {
    absl::MutexLock lock(&mutex_);
    position = position_;
    health.fresh_until = whole_until_;
  }
  if (position.file.empty()) return absl::OkStatus();
  // Another server's files have names and places of their own.
  if (!OfOneServer(position, state.end())) return absl::OkStatus();
  const LogRates::Rates rates = rates_.Take(state, position.file, position.offset, context_->clock->Now());
  // What was proven to hold nothing needs no log.
  const absl::Time needed_since = std::max(position.committed, health.fresh_until);
  return Show(ComputeHeadroom(state, position.file, position.offset, needed_since, rates.written_per_s,
                              rates.delivered_per_s),
              state, std::move(health));
}

absl::Status HeadroomWatch::Show(const Headroom& headroom, const LogState& state, StreamHealth health) {
  health.looked = context_->clock->Now();
  if (!headroom.already_gone) health.lag_bytes = static_cast<int64_t>(headroom.bytes_behind);
  if (headroom.at_this_rate) health.headroom_seconds = SecondsOf(*headroom.at_this_rate);
  if (headroom.stalled) health.stalled_seconds = SecondsOf(*headroom.stalled);
  health.headroom = headroom.Text();
  const absl::Status stored = context_->log->StoreHealth(health);
  // A full disk is waited out, and said (StoredPlace).
  if (!stored.ok() && !absl::IsResourceExhausted(stored)) context_->Fail(stored);
  {
    absl::MutexLock lock(&mutex_);
    health_ = health;
  }
  // Last: who is woken by the warning finds the same figures in `hakobu status`, and within a second in the
  // metrics.
  Warn(headroom, LevelOf(headroom, state), health);
  return absl::OkStatus();
}

// At every step for the worse, and again while it lasts.
void HeadroomWatch::Warn(const Headroom& headroom, HeadroomLevel level, const StreamHealth& health) {
  const bool worse = level > level_;
  const bool lasts = level != HeadroomLevel::kEnough && health.looked - warned_ >= kWarnAgain;
  if (worse || lasts) {
    warned_ = health.looked;
    Log(level >= HeadroomLevel::kTenth ? LogSeverity::kError : LogSeverity::kWarning, headroom.Text(),
        {{"lag_bytes", fmt::format("{}", headroom.bytes_behind)},
         {"headroom_seconds", fmt::format("{:.0f}", health.headroom_seconds)}});
  } else if (level == HeadroomLevel::kEnough && level_ != HeadroomLevel::kEnough) {
    Log(LogSeverity::kInfo, "the source keeps its log long enough again",
        {{"lag_bytes", fmt::format("{}", headroom.bytes_behind)}});
  }
  level_ = level;
}

}  // namespace hakobu
