#include "delivery/stream/headroom.h"

#include <fmt/format.h>

#include <algorithm>

namespace hakobu {

Headroom ComputeHeadroom(const LogState& state, std::string_view file, uint64_t offset,
                         absl::Time needed_since, double written_per_s, double read_per_s) {
  Headroom headroom;
  const auto behind = state.BytesAfter(file, offset);
  if (!behind) {
    headroom.already_gone = true;
    headroom.stalled = absl::ZeroDuration();
    headroom.at_this_rate = absl::ZeroDuration();
    return headroom;
  }
  headroom.bytes_behind = *behind;
  if (*behind == 0) {
    headroom.caught_up_in = absl::ZeroDuration();
  } else if (read_per_s > written_per_s) {
    headroom.caught_up_in = absl::Seconds(static_cast<double>(*behind) / (read_per_s - written_per_s));
  }
  // The file that is being written is never purged, but from its end on it ages like any other.
  if (!state.kept_for || needed_since == absl::InfinitePast()) return headroom;
  const absl::Duration age = std::max(state.server_now - needed_since, absl::ZeroDuration());
  const absl::Duration left = std::max(*state.kept_for - age, absl::ZeroDuration());
  headroom.stalled = *behind == 0 ? absl::InfiniteDuration() : left;
  // While a second passes, the stream gets on by read/written seconds of log.
  if (*behind == 0 || (read_per_s > 0 && read_per_s >= written_per_s)) {
    headroom.at_this_rate = absl::InfiniteDuration();
  } else if (written_per_s <= 0) {  // neither gets on
    headroom.at_this_rate = left;
  } else {
    headroom.at_this_rate = left / (1 - read_per_s / written_per_s);
  }
  return headroom;
}

std::string SpokenDuration(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "never";
  const int64_t seconds = std::max<int64_t>(absl::ToInt64Seconds(duration), 0);
  const int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
  if (days > 0) return fmt::format("{} d {} h", days, hours % 24);
  if (hours > 0) return fmt::format("{} h {} min", hours, minutes % 60);
  if (minutes > 0) return fmt::format("{} min {} s", minutes, seconds % 60);
  return fmt::format("{} s", seconds);
}

std::string Headroom::Text() const {
  if (already_gone) return "the source has purged what is still needed";
  if (!stalled) return "the source does not purge its log by time";
  if (*stalled == absl::InfiniteDuration()) return "everything in the log has been read";
  if (*at_this_rate == absl::InfiniteDuration()) {
    return fmt::format(
        "the stream keeps up; if it stalled, the source would purge what is still needed in {}",
        SpokenDuration(*stalled));
  }
  return fmt::format("the source purges what is still needed in {} at this rate",
                     SpokenDuration(*at_this_rate));
}

}  // namespace hakobu
