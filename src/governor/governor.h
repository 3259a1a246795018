// Signals in, a rate out: the planner of each minute over the law of each second. Pure: the clock is given,
// and nothing is waited for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "governor/app_load.h"
#include "governor/credit_model.h"
#include "governor/inner_loop.h"
#include "governor/plan.h"
#include "governor/reasons.h"
#include "governor/signals.h"

namespace hakobu {

struct BucketLimit {
  std::string name;  // "BurstBalance"
  StoragePrior prior;
  std::optional<CreditFit> earlier;
  double floor = 0;              // a fraction
  double blind_after = 15 * 60;  // seconds without a balance: then what fills it is all that is spent
};

struct GovernorOptions {
  double start = 0;         // seconds since 1970, like every time here
  double hour_of_week = 0;  // at the start, with its fraction
  double until = 0;         // the floors hold until then; at least the last promise
  std::vector<BucketLimit> buckets;
  std::vector<SignalLimit> signals;
  double most_iops = kNever;
  double iops_limit = kNever;    // of ours
  double own_most_iops = 3'000;  // before it was seen
  double dollars_left = kNever;
  double dollars_per_million = 0;
  AppLoad app_load;
  WhenInfeasible when_infeasible = WhenInfeasible::kProtectSource;
  double cooldown = 60;
};

struct Decision {
  double rate = 0;  // operations a second
  Reason reason = Reason::kFullSpeed;
  std::string why;  // a signal's or bucket's name
};

// Not thread-safe.
class Governor {
 public:
  explicit Governor(GovernorOptions options);

  // What was read since the last call: by everybody, and by us.
  void SeeOperations(double at, double everybody, double ours);
  void SeeBalance(size_t bucket, double moment, double level) { credits_[bucket].See(moment, level); }
  void SeeSignal(size_t signal, double at, double value) { signals_.See(signal, at, value); }
  // What is left, in the order in which it is read; promises as seconds since 1970.
  void SetWork(std::vector<Work> work) { work_ = std::move(work); }
  // A person's word. `share`: of what the readers can do; 0: pause; 1: as the governor likes.
  void Throttle(double share) { person_ = share; }

  // Once a second.
  Decision Tick(double now);
  // Each minute or so, and at the start.
  Outlook Foresee(double now) const { return ForeseeArrivals(Question(now)); }
  PlanQuestion Question(double now) const;

  const CreditModel& credits(size_t bucket) const { return credits_[bucket]; }
  double app_iops() const { return app_iops_; }
  double own_most_iops() const { return own_most_; }

 private:
  void Plan(double now);
  Decision Planned(double now);
  void Settle(double now, bool urgent, Decision* decision);

  GovernorOptions options_;
  Signals signals_;
  std::vector<CreditModel> credits_;
  InnerLoop loop_;
  std::vector<Work> work_;
  double person_ = 1;
  std::optional<double> operations_at_;
  double app_iops_ = 0;  // smoothed
  bool app_seen_ = false;
  double own_most_;
  double spent_dollars_ = 0;
  PlanAnswer plan_;
  double planned_at_ = -1;
  Decision settled_;
  bool rising_ = true;
  double no_turn_before_ = 0;
};

// The reason that a signal's name stands for.
Reason ReasonOf(const std::string& signal);

}  // namespace hakobu
