#include "governor/credit_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hakobu {
namespace {

constexpr double kMarkEvery = 10;                       // seconds
constexpr double kMarksKept = 2 * 3600;                 // a moment that is older teaches nothing
constexpr double kShortestPair = 45;                    // seconds between two moments that are compared
constexpr double kReading = 0.0025;                     // standard deviation of one reading
constexpr double kLeastFactor = 0.1, kMostFactor = 10;  // of the prior; beyond it something else is wrong
constexpr double kForget = 0.9995;                      // a volume may be changed while it is used
constexpr double kNearEnd = 0.002;                      // a full or empty bucket does not show what fills it

}  // namespace

CreditModel::CreditModel(const StoragePrior& prior, std::optional<CreditFit> earlier)
    : refill0_(prior.baseline_iops / prior.bucket), cost0_(1 / prior.bucket) {
  if (!earlier.has_value() || earlier->refill <= 0 || earlier->cost <= 0) return;
  theta_ = {earlier->refill / refill0_, earlier->cost / cost0_};
  const double doubt = std::clamp(earlier->doubt, 0.02, 1.0);
  covariance_ = {0.25 * doubt, 0, 0.04 * doubt};
}

CreditFit CreditModel::fit() const {
  return {.refill = refill(), .cost = cost(), .doubt = std::clamp(covariance_[0] / 0.25, 0.0, 1.0)};
}

double CreditModel::Age(double now) const {
  return seen_at_.has_value() ? now - *seen_at_ : std::numeric_limits<double>::infinity();
}

double CreditModel::LevelDoubt(double now) const {
  if (!seen()) return 1;
  const double age = std::max(0.0, now - *seen_at_);
  const double spent = cost0_ * (spent_ - OperationsAt(*seen_at_).value_or(spent_));
  const double filled = refill0_ * age;
  const double variance =
      filled * filled * covariance_[0] - 2 * filled * spent * covariance_[1] + spent * spent * covariance_[2];
  return std::sqrt(kReading * kReading + std::max(0.0, variance));
}

void CreditModel::Spend(double at, double operations) {
  if (spent_until_ == 0) {
    spent_until_ = at;
    marks_.push_back({at, 0});
  }
  const double seconds = std::max(0.0, at - spent_until_);
  spent_ += operations;
  spent_until_ = std::max(spent_until_, at);
  if (seen()) level_ = std::clamp(level_ + refill() * seconds - cost() * operations, 0.0, 1.0);
  if (at - marks_.back().at < kMarkEvery) return;
  marks_.push_back({at, spent_});
  while (marks_.size() > 2 && at - marks_.front().at > kMarksKept) marks_.pop_front();
}

std::optional<double> CreditModel::OperationsAt(double moment) const {
  if (marks_.empty() || moment < marks_.front().at || moment > spent_until_) return std::nullopt;
  const auto after = std::lower_bound(marks_.begin(), marks_.end(), moment,
                                      [](const Mark& mark, double when) { return mark.at < when; });
  const Mark end = after == marks_.end() ? Mark{spent_until_, spent_} : *after;
  if (after == marks_.begin() || end.at <= moment) return end.operations;
  const Mark& begin = *(after - 1);
  const double part = (moment - begin.at) / std::max(1e-9, end.at - begin.at);
  return begin.operations + part * (end.operations - begin.operations);
}

// Recursive least squares: change = refill x seconds - cost x operations.
void CreditModel::Fit(double seconds, double operations, double change) {
  const double x = refill0_ * seconds;
  const double y = -cost0_ * operations;
  auto& [xx, xy, yy] = covariance_;
  const double px = xx * x + xy * y;
  const double py = xy * x + yy * y;
  const double noise = 2 * kReading * kReading + std::pow(0.03 * change, 2);
  const double scale = noise + x * px + y * py;
  const double wrong = change - (x * theta_[0] + y * theta_[1]);
  theta_[0] = std::clamp(theta_[0] + px / scale * wrong, kLeastFactor, kMostFactor);
  theta_[1] = std::clamp(theta_[1] + py / scale * wrong, kLeastFactor, kMostFactor);
  xx = std::min(0.25, (xx - px * px / scale) / kForget);
  xy = xy - px * py / scale;
  yy = std::min(0.04, (yy - py * py / scale) / kForget);
}

void CreditModel::See(double moment, double level) {
  level = std::clamp(level, 0.0, 1.0);
  if (seen() && moment < *seen_at_ + kShortestPair) return;
  const std::optional<double> then = OperationsAt(moment);
  const std::optional<double> before = seen() ? OperationsAt(*seen_at_) : std::nullopt;
  const bool inside =
      level > kNearEnd && level < 1 - kNearEnd && seen_level_ > kNearEnd && seen_level_ < 1 - kNearEnd;
  if (then.has_value() && before.has_value() && inside) {
    Fit(moment - *seen_at_, *then - *before, level - seen_level_);
  }
  seen_at_ = moment;
  seen_level_ = level;
  // Before the first operation was counted: as if nobody had read since.
  const double since = std::max(0.0, spent_until_ - moment);
  const double operations = then.has_value() ? spent_ - *then : 0;
  level_ = std::clamp(level + (spent_until_ == 0 ? 0 : refill() * since) - cost() * operations, 0.0, 1.0);
}

}  // namespace hakobu
