#include "governor/page_tokens.h"

#include <algorithm>
#include <limits>

namespace hakobu {
namespace {

constexpr double kSavedSeconds = 2;  // of the rate: what was not used is not saved up

}  // namespace

void PageTokens::Advance(double now) {
  tokens_ = std::min(tokens_ + std::max(0.0, now - at_) * rate_, std::max(tokens_, kSavedSeconds * rate_));
  at_ = std::max(at_, now);
}

void PageTokens::SetRate(double now, double pages_per_s) {
  Advance(now);
  rate_ = pages_per_s;
}

void PageTokens::Charge(double now, double pages) {
  Advance(now);
  tokens_ -= pages;
}

double PageTokens::Wait(double now) {
  Advance(now);
  if (rate_ <= 0) return std::numeric_limits<double>::infinity();
  return tokens_ >= 0 ? 0 : -tokens_ / rate_;
}

}  // namespace hakobu
