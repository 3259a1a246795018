// Budget and promise to a rate for the rest of the night. Pure: one question, one answer; asked each minute.
//
// As fast as the budget allows: whoever spends a credit earlier loses nothing by it, as long as enough stays
// for what is still to come. How much that is, is known by going backwards from the hour until which the
// floor holds.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "governor/app_load.h"

namespace hakobu {

inline constexpr double kNever = std::numeric_limits<double>::infinity();
inline constexpr double kPlanStep = 60;  // seconds; a LoadForecast's too

enum class WhenInfeasible : uint8_t { kProtectSource, kProtectHour };

// A bucket as CreditModel has it, and what is to stay in it.
struct BucketState {
  double level = 1;         // fractions of the bucket
  double level_doubt = 0;   // kept beside the floor
  double refill = 0;        // a second
  double refill_doubt = 0;  // relative, one standard deviation
  double cost = 0;          // an operation
  double floor = 0;
};

// One table, or whatever has a promise of its own; in the order in which they are read.
struct Work {
  std::string name;
  double operations = 0;    // that are left
  double doubt = 0.1;       // relative, one standard deviation
  double promise = kNever;  // seconds from now
};

struct PlanQuestion {
  LoadForecast load;  // from now until the floor may be left alone
  std::vector<BucketState> buckets;
  double most_iops = kNever;        // of everybody together
  double own_most_iops = kNever;    // what our readers can do
  double operations_left = kNever;  // that may be paid for (dollars of I/O)
  std::vector<Work> work;
  WhenInfeasible when_infeasible = WhenInfeasible::kProtectSource;
};

struct Arrival {
  std::string name;
  double p50 = kNever;  // seconds from now; kNever: not within what was looked at
  double p90 = kNever;
  double promise = kNever;
  bool Kept() const { return p50 <= promise; }
  bool AtRisk() const { return p90 > promise; }
};

struct PlanAnswer {
  double rate = 0;                // operations a second of ours, now
  std::optional<size_t> held_by;  // the bucket that keeps it from being faster
  bool over_budget = false;       // protect_hour: the floor is given up
};

PlanAnswer PlanRate(const PlanQuestion& question);

// When each piece of work will be done. `missing`: operations that a promise lacks, the worst of them.
struct Outlook {
  std::vector<Arrival> arrivals;
  bool feasible = true;
  double missing_operations = 0;
};
Outlook ForeseeArrivals(const PlanQuestion& question);

// The levels, minute by minute, below which a bucket may not be for its floor to hold without any of ours.
std::vector<double> LeastLevels(const BucketState& bucket, const std::vector<double>& load);

}  // namespace hakobu
