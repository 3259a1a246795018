// A token bucket of pages, asked between chunks. A chunk is charged when it begins, by what it is expected to
// cost, and put right when it is read; the next one waits until the debt is gone.
#pragma once

namespace hakobu {

// Not thread-safe.
class PageTokens {
 public:
  explicit PageTokens(double now) : at_(now) {}

  void SetRate(double now, double pages_per_s);
  void Charge(double now, double pages);  // less than 0: gives back
  // Seconds until the next chunk may begin; 0: now. Infinite while the rate is 0.
  double Wait(double now);

 private:
  void Advance(double now);

  double at_;
  double rate_ = 0;
  double tokens_ = 0;
};

}  // namespace hakobu
