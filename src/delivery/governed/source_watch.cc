#include "delivery/governed/source_watch.h"

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "base/status.h"

namespace hakobu {
namespace {

constexpr double kBalanceEvery = 60;  // seconds
constexpr absl::Duration kBalanceBack = absl::Minutes(15);
constexpr double kFileCalm = 2;
constexpr int kDays = 7;

// Monday 5 January 1970 began the first whole week.
int64_t DaysSinceMonday(absl::Time time, absl::TimeZone zone) {
  return absl::ToCivilDay(time, zone) - absl::CivilDay(1970, 1, 5);
}

}  // namespace

absl::TimeZone BudgetZone(const Config& config) {
  const std::optional<DailyHour> hour = ParseDailyHour(config.promise);
  return hour.has_value() ? hour->zone : absl::UTCTimeZone();
}

double HourOfWeek(absl::Time time, absl::TimeZone zone) {
  const absl::CivilSecond second = absl::ToCivilSecond(time, zone);
  const int64_t day = ((DaysSinceMonday(time, zone) % kDays) + kDays) % kDays;
  return static_cast<double>(day) * 24 + second.hour() + second.minute() / 60.0 + second.second() / 3600.0;
}

SourceWatch::SourceWatch(RunContext* run) : run_(run), budget_(run->config->source.budget) {
  const std::optional<CloudWatchConfig>& cloudwatch = run->config->source.cloudwatch;
  if (budget_.burst_balance == 0 || !cloudwatch.has_value()) return;
  cloudwatch_ = std::make_unique<CloudWatch>(
      CloudWatchOptions{cloudwatch->instance, cloudwatch->region, cloudwatch->endpoint},
      ProcessTokenSeam(run->clock, run->cancel));
}

SourceWatch::~SourceWatch() {
  if (source_ != nullptr) run_->connections->Remove(source_.get());
}

std::vector<SignalLimit> SourceWatch::Limits() const {
  std::vector<SignalLimit> limits;
  if (budget_.threads_running > 0) {
    limits.push_back({.name = "threads_running", .limit = static_cast<double>(budget_.threads_running)});
  }
  if (budget_.history_length > 0) {
    limits.push_back({.name = "history_length", .limit = static_cast<double>(budget_.history_length)});
  }
  if (budget_.replica_lag > absl::ZeroDuration()) {
    limits.push_back({.name = "replica_lag",
                      .kind = SignalKind::kStop,
                      .limit = absl::ToDoubleSeconds(budget_.replica_lag)});
  }
  if (!budget_.pause_file.empty()) {
    limits.push_back(
        {.name = "check of pause_file", .kind = SignalKind::kStop, .limit = 1, .calm_for = kFileCalm});
  }
  return limits;
}

void SourceWatch::CannotSee(const absl::Status& why, std::string* said) {
  const std::string text(View(why.message()));
  if (text == *said || run_->cancel->cancelled()) return;
  *said = text;
  Log(LogSeverity::kWarning, "the source's budget cannot be looked at", {{"reason", text}});
}

void SourceWatch::Look(double now, double ours, Governor* governor) {
  LookAtSource(now, ours, governor);
  if (!budget_.pause_file.empty()) {
    std::error_code error;
    const bool there = std::filesystem::exists(budget_.pause_file, error);
    if (!error) governor->SeeSignal(Limits().size() - 1, now, there ? 1 : 0);
  }
  if (cloudwatch_ == nullptr || now - balance_asked_ < kBalanceEvery) return;
  balance_asked_ = now;
  LookAtBalance(now, governor);
}

void SourceWatch::LookAtSource(double now, double ours, Governor* governor) {
  const bool wanted = budget_.threads_running > 0 || budget_.history_length > 0 ||
                      budget_.replica_lag > absl::ZeroDuration() || budget_.burst_balance > 0;
  if (!wanted) return governor->SeeOperations(now, ours, ours);
  if (source_ == nullptr) {
    absl::StatusOr<std::unique_ptr<Connection>> opened = Connection::Open(run_->connect);
    if (!opened.ok()) return CannotSee(opened.status(), &source_said_);
    source_ = *std::move(opened);
    run_->connections->Add(source_.get());
  }
  const absl::StatusOr<LoadSignals> signals =
      ReadLoadSignals(source_.get(), {.history_length = budget_.history_length > 0,
                                      .replica_lag = budget_.replica_lag > absl::ZeroDuration()});
  if (!signals.ok()) {
    run_->connections->Remove(source_.get());
    source_.reset();
    return CannotSee(signals.status(), &source_said_);
  }
  source_said_.clear();
  // After a restart the server counts from nothing.
  const uint64_t before = reads_before_.value_or(signals->data_reads);
  const auto reads = static_cast<double>(signals->data_reads - std::min(before, signals->data_reads));
  reads_before_ = signals->data_reads;
  governor->SeeOperations(now, reads, ours);
  size_t place = 0;
  if (budget_.threads_running > 0) {
    governor->SeeSignal(place++, now, static_cast<double>(signals->threads_running));
  }
  if (budget_.history_length > 0) {
    if (signals->history_length)
      governor->SeeSignal(place, now, static_cast<double>(*signals->history_length));
    ++place;
  }
  if (signals->replica_lag.has_value()) governor->SeeSignal(place, now, *signals->replica_lag);
}

void SourceWatch::LookAtBalance(double now, Governor* governor) {
  const absl::Time time = absl::UnixEpoch() + absl::Seconds(now);
  const absl::StatusOr<std::vector<MetricSample>> samples = cloudwatch_->BurstBalance(time - kBalanceBack);
  if (!samples.ok()) return CannotSee(samples.status(), &balance_said_);
  balance_said_.clear();
  for (const MetricSample& sample : *samples) {
    governor->SeeBalance(0, absl::ToDoubleSeconds(sample.at - absl::UnixEpoch()), sample.value / 100);
  }
}

void SourceWatch::KeepLoad(absl::Time now, double app_iops) {
  if (budget_.burst_balance == 0) return;
  const absl::TimeZone zone = BudgetZone(*run_->config);
  const uint64_t slot = SlotOf(HourOfWeek(now, zone));
  if (slot != slot_ && slot_seconds_ > 300) {
    const absl::Status kept = run_->ledger->pace().StoreLoad({.source = SourceAddress(run_->config->source),
                                                              .week = week_,
                                                              .slot = slot_,
                                                              .iops = slot_sum_ / slot_seconds_});
    if (!kept.ok())
      Log(LogSeverity::kWarning, "the application's load is not kept", {{"reason", kept.ToString()}});
  }
  if (slot != slot_) slot_sum_ = slot_seconds_ = 0;
  slot_ = slot;
  week_ = static_cast<uint64_t>(std::max<int64_t>(0, DaysSinceMonday(now, zone)) / kDays);
  slot_sum_ += app_iops;
  ++slot_seconds_;
}

}  // namespace hakobu
