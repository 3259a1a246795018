// How long until a source purges what a stream still needs. Pure.
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "source/log_state.h"

namespace hakobu {

struct Headroom {
  // Until the file that is needed next may be deleted, if the stream stays where it is. Nullopt: not purged
  // by time.
  std::optional<absl::Duration> stalled;
  // The same, if the stream goes on at `rate`: infinite when it catches up before.
  std::optional<absl::Duration> at_this_rate;
  std::optional<absl::Duration> caught_up_in;  // nullopt: never at this rate
  uint64_t bytes_behind = 0;
  bool already_gone = false;
  std::string Text() const;  // "the source purges what is still needed in 5 h 12 min at this rate"
};

// `needed_since`: the commit time of the next transaction that is needed (the last delivered one's is a safe
// stand-in). Rates in bytes of log per second: what the source writes and what the stream reads.
Headroom ComputeHeadroom(const LogState& state, std::string_view file, uint64_t offset,
                         absl::Time needed_since, double written_per_s, double read_per_s);

// "5 h 12 min", "3 d 4 h", "45 s".
std::string SpokenDuration(absl::Duration duration);

}  // namespace hakobu
