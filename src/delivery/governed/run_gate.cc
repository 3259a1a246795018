#include "delivery/governed/run_gate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "base/status.h"
#include "governor/ways_out.h"

namespace hakobu {
namespace {

constexpr double kPage = 16'384;
constexpr double kForeseeEvery = 60;
constexpr absl::Duration kGateSecond = absl::Seconds(1);
constexpr double kLongestNap = 0.5;
constexpr double kGib = 1 << 30;

double UnixSeconds(absl::Time time) {
  return absl::ToDoubleSeconds(time - absl::UnixEpoch());
}

std::string HourText(double at, const DailyHour& hour) {
  return absl::FormatTime("%H:%M", absl::UnixEpoch() + absl::Seconds(at), hour.zone);
}

StoragePrior PriorOfConfig(const StorageConfig& storage) {
  return PriorOf({.type = static_cast<StorageType>(storage.type),
                  .size_gib = static_cast<double>(storage.size) / kGib,
                  .provisioned_iops = static_cast<double>(storage.iops),
                  .volumes = storage.volumes});
}

std::string BucketName(const Config& config) {
  return "BurstBalance " + config.source.cloudwatch.value_or(CloudWatchConfig{}).instance;
}

}  // namespace

RunGate::RunGate(RunContext* run, const TableRuns& tables)
    : run_(run),
      tables_(tables),
      start_(UnixSeconds(run->clock->Now())),
      hour_(ParseDailyHour(run->config->promise)),
      limited_(run->config->source.budget.any()),
      watch_(std::make_unique<SourceWatch>(run)),
      tokens_(start_),
      reasons_(start_) {
  for (const auto& table : tables) rows_before_.push_back(static_cast<double>(table->rows));
  if (hour_.has_value()) promise_ = hour_->After(run->clock->Now());
  governor_ = std::make_unique<Governor>(Options());
}

GovernorOptions RunGate::Options() {
  const Config& config = *run_->config;
  const BudgetConfig& budget = config.source.budget;
  GovernorOptions options;
  options.start = start_;
  options.hour_of_week = HourOfWeek(run_->clock->Now(), BudgetZone(config));
  options.until = start_ + absl::ToDoubleSeconds(budget.hold);
  options.signals = watch_->Limits();
  if (budget.reads_per_second > 0) options.iops_limit = static_cast<double>(budget.reads_per_second);
  options.when_infeasible = budget.when_infeasible == Infeasible::kProtectHour
                                ? WhenInfeasible::kProtectHour
                                : WhenInfeasible::kProtectSource;
  if (budget.burst_balance == 0 || !config.source.storage.has_value()) return options;
  const StoragePrior prior = PriorOfConfig(*config.source.storage);
  options.most_iops = prior.burst_iops;
  if (prior.bucket <= 0) return options;
  BucketLimit bucket{
      .name = "BurstBalance", .prior = prior, .earlier = std::nullopt, .floor = budget.burst_balance / 100.0};
  const auto fit = run_->ledger->pace().Fit(BucketName(config));
  if (fit.ok() && fit->has_value()) {
    bucket.earlier = CreditFit{.refill = (*fit)->refill, .cost = (*fit)->cost, .doubt = (*fit)->doubt};
  }
  options.buckets.push_back(bucket);
  const auto loads = run_->ledger->pace().Loads(SourceAddress(config.source));
  std::vector<LoadSample> samples;
  if (loads.ok()) {
    for (const PaceLoad& load : *loads) samples.push_back({static_cast<uint32_t>(load.slot), load.iops});
  }
  options.app_load = AppLoad(samples);
  return options;
}

double RunGate::PagesOf(const TableRun& table, double rows) const {
  const SourceTable& source = table.work.source;
  const double all = std::max<double>(1, static_cast<double>(source.estimated_rows));
  return rows / all * static_cast<double>(source.data_bytes) / kPage;
}

RunGate::Left RunGate::WhatIsLeft() const {
  Left left;
  for (size_t i = 0; i < tables_.size(); ++i) {
    const TableRun& table = *tables_[i];
    const auto rows = static_cast<double>(table.rows);
    left.done += PagesOf(table, std::max(0.0, rows - rows_before_[i]));
    if (table.stopped || table.chunks_done >= table.chunks.size()) continue;
    left.operations += PagesOf(table, std::max(0.0, static_cast<double>(table.estimated_rows) - rows));
  }
  return left;
}

void RunGate::Start() {
  Second();
  SayAtStart();
  thread_ = std::thread([this] {
    while (!ended_.WaitForNotificationWithTimeout(kGateSecond)) Second();
  });
}

void RunGate::Stop() {
  if (!thread_.joinable()) return;
  ended_.Notify();
  thread_.join();
  const double now = UnixSeconds(run_->clock->Now());
  NoteLate(now);
  {
    absl::MutexLock lock(&mutex_);
    Book(now);
    report_.pages = static_cast<uint64_t>(WhatIsLeft().done);
  }
  if (governor_->Question(now).buckets.empty()) return;
  const CreditModel& credits = governor_->credits(0);
  if (!credits.seen()) return;
  {
    absl::MutexLock lock(&mutex_);
    report_.credits_end = credits.level();
  }
  const CreditFit fit = credits.fit();
  const absl::Status kept = run_->ledger->pace().StoreFit(
      {.bucket = BucketName(*run_->config), .refill = fit.refill, .cost = fit.cost, .doubt = fit.doubt});
  if (!kept.ok())
    Log(LogSeverity::kWarning, "what was seen of the credits is not kept", {{"reason", kept.ToString()}});
}

void RunGate::TakeWish() {
  const absl::StatusOr<PaceWish> wish = run_->ledger->pace().Wish();
  if (!wish.ok()) return;
  governor_->Throttle(wish->share);
  absl::MutexLock lock(&mutex_);
  share_ = wish->share;
}

void RunGate::Second() {
  const double now = UnixSeconds(run_->clock->Now());
  TakeWish();
  const Left left = WhatIsLeft();
  const double ours = std::max(0.0, left.done - done_before_);
  done_before_ = left.done;
  Work work{.name = "all", .operations = left.operations, .doubt = 0.1, .promise = kNever};
  if (promise_.has_value()) work.promise = UnixSeconds(*promise_);
  governor_->SetWork({work});
  watch_->Look(now, ours, governor_.get());
  watch_->KeepLoad(run_->clock->Now(), governor_->app_iops());
  Decide(now);
  NoteLate(now);
  if (promise_.has_value() && now - foreseen_at_ >= kForeseeEvery) WatchPromise(now);
}

void RunGate::Decide(double now) {
  const Decision decision = governor_->Tick(now);
  absl::MutexLock lock(&mutex_);
  Book(now);
  if (decision.reason != decision_.reason && decision.reason != Reason::kFullSpeed) {
    Log(LogSeverity::kInfo, "reading is held back",
        {{"by", std::string(NameOf(decision.reason))},
         {"pages_per_second", fmt::format("{:.0f}", decision.rate)}});
  }
  decision_ = decision;
  tokens_.SetRate(now, decision.rate);
  report_.pages = static_cast<uint64_t>(done_before_);
  if (!governor_->Question(now).buckets.empty() && governor_->credits(0).seen()) {
    const double level = governor_->credits(0).level();
    if (!report_.credits_start.has_value()) report_.credits_start = level;
    report_.credits_lowest = std::min(level, report_.credits_lowest.value_or(level));
  }
}

// The second that has passed belongs to what most of the readers were at.
void RunGate::Book(double now) {
  const ReaderStates& readers = run_->readers;
  const int reading = readers.Count(ReaderState::kReading);
  const int waiting = readers.Count(ReaderState::kWaiting);
  const int writing = readers.Count(ReaderState::kWriting);
  const int retrying = readers.Count(ReaderState::kRetrying);
  Reason reason = Reason::kFullSpeed;
  if (waiting > 0 && waiting >= reading + writing) {
    reason = decision_.reason == Reason::kFullSpeed ? Reason::kIops : decision_.reason;
  } else if (retrying > 0 && retrying >= reading + writing) {
    reason = Reason::kNetwork;
  } else if (writing > reading) {
    reason = Reason::kDestination;
  } else if (reading + waiting + writing + retrying == 0 && done_before_ > 0) {
    reason = Reason::kPublish;
  }
  reasons_.Book(now, reason);
}

absl::Status RunGate::Enter(const TableRun& table) {
  const double pages = PagesOf(table, static_cast<double>(table.estimated_rows)) /
                       std::max<double>(1, static_cast<double>(table.chunks.size()));
  std::optional<ReaderIn> waiting;
  for (;;) {
    HAKOBU_RETURN_IF_ERROR(run_->cancel->Check());
    double wait = 0;
    {
      absl::MutexLock lock(&mutex_);
      const double now = UnixSeconds(run_->clock->Now());
      const bool held = decision_.reason != Reason::kFullSpeed && (limited_ || share_ < 1);
      if (held) wait = tokens_.Wait(now);
      if (wait <= 0) {
        if (held) tokens_.Charge(now, pages);
        return absl::OkStatus();
      }
    }
    if (!waiting.has_value()) waiting.emplace(&run_->readers, ReaderState::kWaiting);
    run_->cancel->WaitFor(absl::Seconds(std::min(wait, kLongestNap)));
  }
}

void RunGate::SayAtStart() {
  const double now = UnixSeconds(run_->clock->Now());
  PlanQuestion question = governor_->Question(now);
  if (!promise_.has_value() || question.work.empty() || question.work[0].operations <= 0) return;
  // Without a bucket or a limit nobody knows how fast the source can be read before it has been.
  const bool known = !question.buckets.empty() || run_->config->source.budget.reads_per_second > 0;
  if (!known || (!question.buckets.empty() && !governor_->credits(0).seen())) return;
  const Outlook outlook = ForeseeArrivals(question);
  if (outlook.feasible) return;
  warned_ = true;
  const auto when = [&](double seconds) {
    return std::isinf(seconds) ? std::string("not within a day and a half") : HourText(now + seconds, *hour_);
  };
  std::string text = fmt::format(
      "the promise of {} cannot be kept within source.budget: foreseen {}, {:.0f} page reads too many",
      run_->config->promise, when(outlook.arrivals[0].p50), outlook.missing_operations);
  const double size = static_cast<double>(run_->config->source.storage.value_or(StorageConfig{}).size) / kGib;
  for (const WayOut& way : WaysOut(question, size))
    text += fmt::format("; with {}: {}", way.what, when(way.arrival));
  if (run_->config->source.budget.when_infeasible == Infeasible::kProtectHour) {
    text += "; when_infeasible: protect_hour, so the credits are given up";
  }
  Log(LogSeverity::kWarning, text);
  absl::MutexLock lock(&mutex_);
  report_.notes.push_back(std::move(text));
}

// Once, hours before: what is seen now against the hour.
void RunGate::WatchPromise(double now) {
  foreseen_at_ = now;
  if (warned_ || now - start_ < kForeseeEvery || done_before_ <= 0) return;
  const PlanQuestion question = governor_->Question(now);
  double left = 0;
  if (question.buckets.empty()) {
    left = question.work[0].operations / (done_before_ / (now - start_));
  } else {
    left = ForeseeArrivals(question).arrivals[0].p50;
  }
  if (now + left <= UnixSeconds(*promise_)) return;
  warned_ = true;
  const std::string foreseen =
      std::isinf(left) ? "later than a day and a half from now" : HourText(now + left, *hour_);
  std::string text = fmt::format("the promise of {} will be missed: reading is foreseen to end {}",
                                 run_->config->promise, foreseen);
  Log(LogSeverity::kWarning, text);
  absl::MutexLock lock(&mutex_);
  report_.notes.push_back(std::move(text));
}

void RunGate::NoteLate(double now) {
  if (!promise_.has_value() || late_noted_ || now <= UnixSeconds(*promise_)) return;
  late_noted_ = true;
  std::vector<std::string> late;
  for (const auto& table : tables_) {
    absl::MutexLock lock(&table->mutex);
    if (table->record.state != RunTableState::kDone) late.push_back(table->work.name);
  }
  absl::MutexLock lock(&mutex_);
  report_.late_tables = std::move(late);
}

PaceReport RunGate::report() const {
  absl::MutexLock lock(&mutex_);
  PaceReport report = report_;
  report.promise = promise_;
  for (size_t i = 0; i < kReasons; ++i) {
    const auto reason = static_cast<Reason>(i);
    if (reasons_.Seconds(reason) > 0) {
      report.seconds_by_reason.emplace_back(std::string(NameOf(reason)), reasons_.Seconds(reason));
    }
  }
  return report;
}

}  // namespace hakobu
