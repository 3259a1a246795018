// A night at a simulated source: what is true of it, and what can be seen. Made from a seed alone.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/enum_name.h"
#include "governor/app_load.h"
#include "governor/storage.h"

namespace hakobu::plant {

enum class NightKind : uint8_t {
  kCalm,
  kStep,  // the application reads more from a moment on, and nobody knew
  kRamp,
  kSawtooth,
  kFlashSale,   // at 21:00 every day, above the baseline
  kNeighbours,  // short peaks, at any time
  kWrongPrior,  // the volume does not do what its size says
  kHoles,       // CloudWatch is silent for a quarter of an hour and more
  kRestart,     // hakobu is killed in the middle
  kLag          // a replica that falls behind, and is left alone until it is back
};
inline constexpr std::string_view kNightKindNames[] = {"calm",       "step",       "ramp",        "sawtooth",
                                                       "flash sale", "neighbours", "wrong prior", "holes",
                                                       "restart",    "replica lag"};
constexpr std::span<const std::string_view> NamesOf(NightKind) {
  return kNightKindNames;
}
inline constexpr size_t kNightKinds = std::size(kNightKindNames);

// What CloudWatch tells, and when.
struct BalanceSample {
  double known_at = 0, moment = 0, level = 0;
};

// Times are seconds from the start of the run.
struct Night {
  NightKind kind = NightKind::kCalm;
  uint64_t seed = 0;
  StoragePrior truth;
  StoragePrior prior;  // as hakobu is told
  double level = 1;    // at the start, of the bucket
  double floor = 0.2;
  double hour_of_week = 0;
  double work = 0;      // operations
  double estimate = 0;  // of it, beforehand
  double own_most_iops = 0;
  double readers = 2;
  double chunk = 0;        // operations of one chunk, of all readers
  double own_counted = 1;  // what hakobu counts as its own, of what it really reads
  double promise = 0;
  double until = 0;  // the floor holds until then
  double restart_at = -1;
  double restart_seconds = 0;
  std::vector<double> app;  // IOPS, each second until `until`
  std::vector<LoadSample> history;
  std::vector<std::pair<double, double>> lag;  // [from, to) in which the replica is behind
  double delay_from = 60, delay_to = 180;      // of CloudWatch
  double hole_chance = 0.05;                   // of a minute that is never told
  std::vector<std::pair<double, double>> holes;

  bool Behind(double at) const;
  bool Silent(double moment) const;
};

Night MakeNight(uint64_t seed, NightKind kind);

}  // namespace hakobu::plant
