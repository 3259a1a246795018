// What is seen of the source, each value with its age. Missing is neither fine nor a breach: the last value
// counts for a while, then nobody knows, and who does not know does not read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hakobu {

enum class SignalKind : uint8_t {
  kSteered,  // the rate follows it
  kStop      // at its limit reading stops at once; below it, it says nothing (replica lag, a flag, a check)
};

struct SignalLimit {
  std::string name;  // "threads_running"
  SignalKind kind = SignalKind::kSteered;
  double limit = 0;
  double blind_after = 60;  // seconds without a value; then reading stops
  double calm_for = 30;     // kStop: seconds below calm_part of the limit before reading goes on
  double calm_part = 0.8;
};

// What all of them together say.
struct Verdict {
  double utilisation = 0;  // the highest value/limit of those that are steered and known
  std::string highest;     // its name
  bool stop = false;
  std::string why;     // of the stop: a signal's name
  bool blind = false;  // the stop is for not knowing
};

// Not thread-safe.
class Signals {
 public:
  // `now`: from then on a signal that was never seen grows old.
  Signals(std::vector<SignalLimit> limits, double now);

  size_t size() const { return limits_.size(); }
  const SignalLimit& limit(size_t signal) const { return limits_[signal]; }
  void See(size_t signal, double at, double value);
  Verdict Judge(double now);

 private:
  struct State {
    double at = 0, value = 0;
    bool seen = false;
    bool stopped = false;
    double calm_since = 0;
  };
  bool Stops(const SignalLimit& limit, State* state, double now) const;

  std::vector<SignalLimit> limits_;
  std::vector<State> states_;
};

}  // namespace hakobu
