// What a run sees of its source while it reads: status counters each second, BurstBalance each minute, a
// file. What cannot be seen is not made up; it is said once, and seen again when it can be.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "delivery/run_context.h"
#include "destination/cloudwatch.h"
#include "governor/governor.h"
#include "source/load_signals.h"

namespace hakobu {

// One thread.
class SourceWatch {
 public:
  explicit SourceWatch(RunContext* run);
  ~SourceWatch();

  // The limits that `source.budget` sets, in the order in which Look tells of them.
  std::vector<SignalLimit> Limits() const;
  // Tells the governor. `ours`: operations of ours since the last call.
  void Look(double now, double ours, Governor* governor);
  // Everybody else's reads in ten minutes that have ended are kept for later runs.
  void KeepLoad(absl::Time now, double app_iops);

 private:
  void LookAtSource(double now, double ours, Governor* governor);
  void LookAtBalance(double now, Governor* governor);
  void CannotSee(const absl::Status& why, std::string* said);

  RunContext* run_;
  const BudgetConfig& budget_;
  std::unique_ptr<Connection> source_;
  std::unique_ptr<CloudWatch> cloudwatch_;
  double balance_asked_ = 0;
  std::optional<uint64_t> reads_before_;
  std::string source_said_, balance_said_;
  uint64_t slot_ = 0, week_ = 0;
  double slot_sum_ = 0, slot_seconds_ = 0;
};

// The hour of the week, with its fraction, from Monday 00:00.
double HourOfWeek(absl::Time time, absl::TimeZone zone);
absl::TimeZone BudgetZone(const Config& config);

}  // namespace hakobu
