#include "governor/plan.h"

#include <algorithm>
#include <numeric>

namespace hakobu {
namespace {

// How soon what is spare is spent: shorter and the rate follows each minute's noise, longer and the end of a
// night is given away.
constexpr double kSpendWithin = 240;  // seconds
constexpr double kMostDoubt = 0.04;   // of the bucket
constexpr double kHurry = 1.03;
// Of the way from a usual to a high load: not every hour of a night is the busiest of ten.
constexpr double kBusyPart = 0.6;   // a night of which one says that nine of ten are better
constexpr double kGuardPart = 1.0;  // what credits are kept for
constexpr double kOneInTen = 1.28;  // standard deviations

std::vector<double> Between(const LoadForecast& load, double part) {
  std::vector<double> between = load.usual;
  for (size_t i = 0; i < between.size(); ++i) between[i] += part * (load.high[i] - between[i]);
  return between;
}

double Margin(const BucketState& bucket) {
  return std::min(kMostDoubt, bucket.level_doubt);
}

double Total(const std::vector<Work>& work) {
  return std::accumulate(work.begin(), work.end(), 0.0,
                         [](double sum, const Work& one) { return sum + one.operations; });
}

// The rate at which the bucket comes to `least` within `seconds`, beside the application.
double SpareRate(const BucketState& bucket, double level, double least, double load, double seconds) {
  const double spare = (level - least) / (bucket.cost * seconds);
  return std::max(0.0, spare + bucket.refill / bucket.cost - load);
}

// One night, minute by minute, as PlanRate would drive it.
class Night {
 public:
  Night(const PlanQuestion& question, const std::vector<double>& load, double pessimism)
      : question_(question), load_(load), pessimism_(pessimism) {
    for (const BucketState& bucket : question.buckets) {
      buckets_.push_back(bucket);
      buckets_.back().refill *= std::max(0.1, 1 - pessimism * bucket.refill_doubt);
      least_.push_back(LeastLevels(bucket, Between(question.load, kGuardPart)));
    }
  }
  std::vector<double> Arrivals();
  // Operations that are done at a moment.
  double DoneBy(double seconds) const;

 private:
  double RateAt(size_t minute) const;
  void Advance(size_t minute, double rate);

  const PlanQuestion& question_;
  const std::vector<double>& load_;
  double pessimism_;
  std::vector<BucketState> buckets_;
  std::vector<std::vector<double>> least_;
  std::vector<double> done_ = {0};
};

double Night::RateAt(size_t minute) const {
  double rate = std::min(question_.own_most_iops, std::max(0.0, question_.most_iops - load_[minute]));
  for (size_t i = 0; i < buckets_.size(); ++i) {
    const size_t then = std::min(minute + 1, least_[i].size() - 1);
    const double least = least_[i][then] + Margin(buckets_[i]);
    rate = std::min(rate, SpareRate(buckets_[i], buckets_[i].level, least, load_[minute], kPlanStep));
  }
  return rate;
}

void Night::Advance(size_t minute, double rate) {
  for (BucketState& bucket : buckets_) {
    const double change = bucket.refill - bucket.cost * (load_[minute] + rate);
    bucket.level = std::clamp(bucket.level + change * kPlanStep, 0.0, 1.0);
  }
  done_.push_back(done_.back() + rate * kPlanStep);
}

std::vector<double> Night::Arrivals() {
  std::vector<double> ends;
  double sum = 0;
  for (const Work& work : question_.work) {
    sum += work.operations * (1 + pessimism_ * work.doubt);
    ends.push_back(sum);
  }
  if (sum > question_.operations_left) return std::vector<double>(ends.size(), kNever);
  for (size_t minute = 0; minute < load_.size() && done_.back() < sum; ++minute) {
    Advance(minute, RateAt(minute));
  }
  std::vector<double> arrivals;
  for (const double end : ends) {
    const auto reached = std::lower_bound(done_.begin(), done_.end(), end);
    if (reached == done_.end()) {
      arrivals.push_back(kNever);
    } else if (reached == done_.begin()) {
      arrivals.push_back(0);
    } else {
      const double before = *(reached - 1);
      const auto minute = static_cast<double>(reached - done_.begin() - 1);
      arrivals.push_back((minute + (end - before) / (*reached - before)) * kPlanStep);
    }
  }
  return arrivals;
}

double Night::DoneBy(double seconds) const {
  const auto minute = static_cast<size_t>(std::max(0.0, seconds) / kPlanStep);
  return done_[std::min(minute, done_.size() - 1)];
}

// What the hour needs, whatever it costs.
double RateForTheHour(const PlanQuestion& question) {
  double needed = 0;
  double sum = 0;
  for (const Work& work : question.work) {
    sum += work.operations;
    if (work.promise == kNever) continue;
    needed = std::max(needed, sum * kHurry / std::max(kPlanStep, work.promise));
  }
  return needed;
}

}  // namespace

std::vector<double> LeastLevels(const BucketState& bucket, const std::vector<double>& load) {
  std::vector<double> least(load.size() + 1, bucket.floor);
  for (size_t minute = load.size(); minute-- > 0;) {
    const double drain = (bucket.cost * load[minute] - bucket.refill) * kPlanStep;
    least[minute] = std::clamp(least[minute + 1] + drain, bucket.floor, 1.0);
  }
  return least;
}

PlanAnswer PlanRate(const PlanQuestion& question) {
  PlanAnswer answer;
  const double load = question.load.usual.empty() ? 0 : question.load.usual.front();
  const double most = std::min(question.own_most_iops, std::max(0.0, question.most_iops - load));
  answer.rate = most;
  for (size_t i = 0; i < question.buckets.size(); ++i) {
    const BucketState& bucket = question.buckets[i];
    const std::vector<double> least = LeastLevels(bucket, Between(question.load, kGuardPart));
    const auto ahead = std::min<size_t>(static_cast<size_t>(kSpendWithin / kPlanStep), least.size() - 1);
    // The end of a step down is a floor as well: what is needed in between counts too.
    const double highest = *std::max_element(least.begin(), least.begin() + static_cast<long>(ahead) + 1);
    double rate = SpareRate(bucket, bucket.level, highest + Margin(bucket), load, kSpendWithin);
    // What is left of the night costs less than what is spare: there is nothing to save for.
    const double rest = Total(question.work) * bucket.cost;
    if (bucket.level - rest * 1.05 > *std::max_element(least.begin(), least.end()) + Margin(bucket))
      rate = most;
    if (rate < answer.rate) {
      answer.rate = rate;
      answer.held_by = i;
    }
  }
  if (Total(question.work) > 0 && question.operations_left <= 0) answer.rate = 0;
  if (question.when_infeasible == WhenInfeasible::kProtectHour) {
    const double needed = std::min(most, RateForTheHour(question));
    if (needed > answer.rate) {
      answer.rate = needed;
      answer.over_budget = true;
    }
  }
  return answer;
}

Outlook ForeseeArrivals(const PlanQuestion& question) {
  Outlook outlook;
  Night likely(question, question.load.usual, 0);
  const std::vector<double> busy = Between(question.load, kBusyPart);
  Night unlikely(question, busy, kOneInTen);
  const std::vector<double> p50 = likely.Arrivals();
  const std::vector<double> p90 = unlikely.Arrivals();
  double sum = 0;
  for (size_t i = 0; i < question.work.size(); ++i) {
    const Work& work = question.work[i];
    sum += work.operations;
    outlook.arrivals.push_back(
        {.name = work.name, .p50 = p50[i], .p90 = std::max(p50[i], p90[i]), .promise = work.promise});
    if (outlook.arrivals.back().Kept()) continue;
    outlook.feasible = false;
    outlook.missing_operations = std::max(outlook.missing_operations, sum - likely.DoneBy(work.promise));
  }
  return outlook;
}

}  // namespace hakobu
