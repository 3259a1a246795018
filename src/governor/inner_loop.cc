#include "governor/inner_loop.h"

#include <algorithm>

namespace hakobu {
namespace {

constexpr double kGrowBelow = 0.4, kShedAbove = 0.7, kBreach = 1.0;
constexpr double kGrowth = 1.15, kShed = 0.9, kHalf = 0.5;
constexpr double kLeastShare = 0.02;  // enough to see when it is better
constexpr double kMoveEvery = 2;      // seconds: a signal answers a change that late

}  // namespace

bool InnerLoop::MayGo(Way way, double now) const {
  return now - moved_at_ >= kMoveEvery && (way == way_ || now >= quiet_until_);
}

void InnerLoop::Go(Way way, double now, double share, double quiet) {
  if (way != way_) quiet_until_ = now + quiet;
  way_ = way;
  moved_at_ = now;
  share_ = std::clamp(share, kLeastShare, 1.0);
}

double InnerLoop::Step(double now, double utilisation) {
  if (utilisation >= kBreach) {
    if (now - moved_at_ >= kMoveEvery && share_ > kLeastShare) {
      Go(Way::kDown, now, share_ * kHalf, cooldown_);
      quiet_until_ = std::max(quiet_until_, now + 2 * cooldown_);
    }
  } else if (utilisation > kShedAbove) {
    if (share_ > kLeastShare && MayGo(Way::kDown, now)) Go(Way::kDown, now, share_ * kShed, cooldown_);
  } else if (utilisation < kGrowBelow) {
    if (share_ < 1 && MayGo(Way::kUp, now)) Go(Way::kUp, now, share_ * kGrowth, cooldown_);
  }
  return share_;
}

}  // namespace hakobu
