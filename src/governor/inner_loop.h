// The second-by-second law: which share of what the readers can do is let through.
#pragma once

namespace hakobu {

// Follows utilisation (Verdict): below 0.4 it grows, to 0.7 it stays, above it sheds, at 1.0 it halves. It
// turns round once in a cooldown at most; only the halving does not wait, and the growth after it waits
// twice.
class InnerLoop {
 public:
  explicit InnerLoop(double cooldown = 60) : cooldown_(cooldown) {}

  // At most once a second. The share, 0 … 1.
  double Step(double now, double utilisation);
  double share() const { return share_; }

 private:
  enum class Way { kStill, kUp, kDown };
  bool MayGo(Way way, double now) const;
  void Go(Way way, double now, double share, double quiet);

  double cooldown_;
  double share_ = 0.25;
  Way way_ = Way::kUp;
  double quiet_until_ = 0;  // no turn before
  double moved_at_ = 0;
};

}  // namespace hakobu
