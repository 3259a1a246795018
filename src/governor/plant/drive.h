// A night, driven second by second by whoever says the rate.
#pragma once

#include <cstdint>

#include "governor/plant/night.h"

namespace hakobu::plant {

// Who drives. Times are seconds from the start of the night.
class Driver {
 public:
  virtual ~Driver() = default;
  virtual void SeeOperations(double at, double everybody, double ours) = 0;
  virtual void SeeBalance(double moment, double level) = 0;
  virtual void SeeThreads(double /*at*/, double /*running*/, double /*limit*/) {}
  virtual void SeeLag(double /*at*/, bool /*behind*/) {}
  // Of the work's own estimate, what is left.
  virtual void SeeWork(double operations_left) = 0;
  virtual void Restart(double /*at*/) {}
  // Operations a second. Asked each second.
  virtual double Rate(double at) = 0;
  // Asked once, before the first second: is the promise beyond any plan?
  virtual bool SaysInfeasible() { return false; }
};

struct Outcome {
  double arrival = 0;  // seconds from the start; infinite: not until the end
  double crossed = 0;  // how deep below the floor, of the bucket, where the application alone was not
  double starved_seconds =
      0;  // in which the application had less than it asked for, and would not have without us
  uint32_t reversals = 0;  // of the rate, stops of a limit left out
  uint32_t most_in_cooldown = 0;
  bool said_infeasible = false;
};

inline constexpr double kCooldown = 60;

Outcome Drive(const Night& night, Driver* driver);

}  // namespace hakobu::plant
