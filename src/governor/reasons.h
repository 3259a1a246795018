// Each second of a run is booked to one reason. The sum is the wall time, whatever was booked when.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/enum_name.h"

namespace hakobu {

enum class Reason : uint8_t {
  kFullSpeed,  // nothing held it: the source's own speed
  kCredits,    // the source's burst credits
  kIops,       // a limit of reads a second
  kThreads,    // the source's threads running
  kHistory,    // its undo history
  kTempSpace,  // its temporary tables
  kReplicaLag,
  kCheck,  // a check or a flag of the user's
  kBlind,  // a limit that could not be seen
  kDollars,
  kDestination,  // BigQuery's answer
  kQuota,        // BigQuery said: later
  kLock,         // a lock of ours, the ledger's among them
  kNetwork,      // a side that could not be reached
  kCpu,          // this machine
  kPerson,       // hakobu pause, hakobu throttle
  kPublish       // nothing left to read: the tables are being published
};
inline constexpr std::string_view kReasonNames[] = {
    "full speed",  "credits", "iops",         "threads running", "history length", "temporary space",
    "replica lag", "check",   "unseen limit", "dollars",         "destination",    "quota",
    "lock",        "network", "cpu",          "person",          "publishing"};
constexpr std::span<const std::string_view> NamesOf(Reason) {
  return kReasonNames;
}
inline constexpr size_t kReasons = std::size(kReasonNames);

// Not thread-safe.
class ReasonLedger {
 public:
  explicit ReasonLedger(double start) : start_(start), until_(start) {}

  // The time since the last call. A clock that went back books nothing.
  void Book(double until, Reason reason);
  double Seconds(Reason reason) const { return seconds_[static_cast<size_t>(reason)]; }
  const std::array<double, kReasons>& seconds() const { return seconds_; }
  double wall() const { return until_ - start_; }

 private:
  double start_, until_;
  std::array<double, kReasons> seconds_{};
};

}  // namespace hakobu
