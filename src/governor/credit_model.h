// One bucket of credits as it is believed to be: how full, how fast it fills, what an operation costs.
// Everything is a fraction of the bucket, because that is what CloudWatch shows; its size in operations need
// not be right, only what was seen of it. Times are seconds since 1970, as the caller's clock has them.
#pragma once

#include <array>
#include <deque>
#include <optional>

#include "governor/storage.h"

namespace hakobu {

// What is kept of a bucket from one run to the next.
struct CreditFit {
  double refill = 0;  // fraction a second
  double cost = 0;    // fraction an operation
  double doubt = 1;   // relative to what the storage's formula leaves open; falls with what is seen
};

class CreditModel {
 public:
  // Begins with the formula, or with what earlier runs saw. `prior.bucket` is not 0.
  explicit CreditModel(const StoragePrior& prior, std::optional<CreditFit> earlier = std::nullopt);

  // Operations by everybody between the last call and `at`, as SQL counts them.
  void Spend(double at, double operations);
  // What CloudWatch says of a moment that may be minutes ago. Moments may come in any order; an old one that
  // adds nothing is left.
  void See(double moment, double level);

  bool seen() const { return seen_at_.has_value(); }
  double Age(double now) const;            // seconds since the newest moment that was seen; infinite: never
  double level() const { return level_; }  // now, as far as Spend has come; 0 before anything was seen
  double LevelDoubt(double now) const;     // one standard deviation, about
  double refill() const { return refill0_ * theta_[0]; }
  double cost() const { return cost0_ * theta_[1]; }
  CreditFit fit() const;

 private:
  struct Mark {
    double at = 0, operations = 0;  // since the model began
  };
  std::optional<double> OperationsAt(double moment) const;
  void Fit(double seconds, double operations, double change);

  double refill0_, cost0_;
  std::array<double, 2> theta_ = {1, 1};                // of the prior
  std::array<double, 3> covariance_ = {0.25, 0, 0.04};  // [refill², both, cost²]
  double level_ = 0;
  double spent_ = 0;
  double spent_until_ = 0;
  std::deque<Mark> marks_;
  std::optional<double> seen_at_;
  double seen_level_ = 0;
};

}  // namespace hakobu
