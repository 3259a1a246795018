#include "governor/governor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace hakobu {
namespace {

constexpr double kPlanEvery = 20;  // seconds
constexpr double kAppSmoothSeconds = 60;
constexpr size_t kMostMinutes = 36 * 60;
constexpr size_t kLeastMinutes = 60;
constexpr double kWorthMoving = 0.05;  // of the rate: less is noise

constexpr std::array<std::pair<const char*, Reason>, 6> kReasonsOfSignals = {{
    {"threads_running", Reason::kThreads},
    {"history_length", Reason::kHistory},
    {"temporary_tables", Reason::kTempSpace},
    {"replica_lag", Reason::kReplicaLag},
    {"reads", Reason::kIops},
    {"check", Reason::kCheck},
}};

std::vector<CreditModel> MakeModels(const std::vector<BucketLimit>& limits) {
  std::vector<CreditModel> models;
  for (const BucketLimit& limit : limits) models.emplace_back(limit.prior, limit.earlier);
  return models;
}

}  // namespace

Reason ReasonOf(const std::string& signal) {
  for (const auto& [name, reason] : kReasonsOfSignals) {
    if (signal.starts_with(name)) return reason;
  }
  return Reason::kCheck;
}

Governor::Governor(GovernorOptions options)
    : options_(std::move(options)),
      signals_(options_.signals, options_.start),
      credits_(MakeModels(options_.buckets)),
      loop_(options_.cooldown),
      own_most_(options_.own_most_iops) {}

void Governor::SeeOperations(double at, double everybody, double ours) {
  const double seconds = operations_at_.has_value() ? at - *operations_at_ : 0;
  operations_at_ = at;
  for (CreditModel& credits : credits_) credits.Spend(at, seconds > 0 ? everybody : 0);
  if (seconds <= 0) return;
  spent_dollars_ += ours / 1e6 * options_.dollars_per_million;
  const double app = std::max(0.0, everybody - ours) / seconds;
  const double weight = app_seen_ ? std::min(1.0, seconds / kAppSmoothSeconds) : 1;
  app_iops_ += weight * (app - app_iops_);
  app_seen_ = true;
  own_most_ = std::max(own_most_, ours / seconds);
}

PlanQuestion Governor::Question(double now) const {
  PlanQuestion question;
  double last = options_.until;
  for (const Work& work : work_) {
    Work& one = question.work.emplace_back(work);
    if (work.promise == kNever) continue;
    last = std::max(last, work.promise);
    one.promise = work.promise - now;
  }
  const double minutes = std::ceil((last - now) / kPlanStep);
  const size_t steps = std::clamp(static_cast<size_t>(std::max(0.0, minutes)), kLeastMinutes, kMostMinutes);
  const double hour = options_.hour_of_week + (now - options_.start) / 3600;
  const double load = app_seen_ ? app_iops_ : options_.app_load.Usual(hour);
  question.load = hakobu::Foresee(options_.app_load, hour, load, steps);
  for (size_t i = 0; i < credits_.size(); ++i) {
    const CreditModel& credits = credits_[i];
    const CreditFit fit = credits.fit();
    question.buckets.push_back({.level = credits.level(),
                                .level_doubt = credits.LevelDoubt(now),
                                .refill = fit.refill,
                                .refill_doubt = 0.3 * std::sqrt(fit.doubt),
                                .cost = fit.cost,
                                .floor = options_.buckets[i].floor});
  }
  question.most_iops = options_.most_iops;
  question.own_most_iops = std::min(own_most_, options_.iops_limit);
  if (options_.dollars_per_million > 0 && options_.dollars_left != kNever) {
    question.operations_left = (options_.dollars_left - spent_dollars_) / options_.dollars_per_million * 1e6;
  }
  question.when_infeasible = options_.when_infeasible;
  return question;
}

void Governor::Plan(double now) {
  planned_at_ = now;
  PlanQuestion question = Question(now);
  // To give up the floor, or not, is decided while the promise cannot be kept within it.
  if (question.when_infeasible == WhenInfeasible::kProtectHour && ForeseeArrivals(question).feasible) {
    question.when_infeasible = WhenInfeasible::kProtectSource;
  }
  plan_ = PlanRate(question);
}

Decision Governor::Planned(double now) {
  if (planned_at_ < 0 || now - planned_at_ >= kPlanEvery) Plan(now);
  Decision decision{.rate = plan_.rate, .why = {}};
  if (plan_.held_by.has_value()) {
    decision.reason = Reason::kCredits;
    decision.why = options_.buckets[*plan_.held_by].name;
  } else if (plan_.rate >= options_.iops_limit) {
    decision.reason = Reason::kIops;
  } else if (plan_.rate <= 0) {
    decision.reason = Reason::kDollars;
  }
  for (size_t i = 0; i < credits_.size() && !plan_.over_budget; ++i) {
    if (credits_[i].Age(now) <= options_.buckets[i].blind_after) continue;
    if (!credits_[i].seen() && now - options_.start <= options_.buckets[i].blind_after) continue;
    // Unseen for too long: the bucket may be anywhere, so nothing of it is spent.
    const double refills = std::max(0.0, credits_[i].refill() / credits_[i].cost() * 0.8 - app_iops_);
    if (refills >= decision.rate) continue;
    decision = {.rate = refills, .reason = Reason::kBlind, .why = options_.buckets[i].name};
  }
  return decision;
}

// A rate that hardly differs is left as it is, and it turns round once in a cooldown.
void Governor::Settle(double now, bool urgent, Decision* decision) {
  const bool little = std::abs(decision->rate - settled_.rate) < kWorthMoving * std::max(1.0, settled_.rate);
  const bool ends = decision->rate <= 0 || settled_.rate <= 0;
  if (little && !ends) decision->rate = settled_.rate;
  const double moved = decision->rate - settled_.rate;
  const bool turns = moved != 0 && (moved > 0) != rising_;
  if (turns && !urgent && now < no_turn_before_) {
    decision->rate = settled_.rate;
  } else if (turns) {
    rising_ = moved > 0;
    no_turn_before_ = now + options_.cooldown;
  }
  settled_ = *decision;
}

Decision Governor::Tick(double now) {
  const Verdict verdict = signals_.Judge(now);
  const double share = loop_.Step(now, verdict.utilisation);
  Decision decision = Planned(now);
  const double looped = share * std::min(own_most_, options_.iops_limit);
  // With nothing to steer by there is nothing to be careful about.
  if (share < 1 && looped < decision.rate && !verdict.highest.empty()) {
    decision = {.rate = looped, .reason = ReasonOf(verdict.highest), .why = verdict.highest};
  }
  if (person_ < 1 && person_ * own_most_ < decision.rate) {
    decision = {.rate = person_ * own_most_, .reason = Reason::kPerson, .why = ""};
  }
  if (verdict.stop) {
    decision = {
        .rate = 0, .reason = verdict.blind ? Reason::kBlind : ReasonOf(verdict.why), .why = verdict.why};
  }
  const bool urgent = verdict.stop || verdict.utilisation >= 1 || person_ < 1;
  Settle(now, urgent, &decision);
  return decision;
}

}  // namespace hakobu
