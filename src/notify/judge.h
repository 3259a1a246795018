// Which messages follow from what is seen and what was said before. Pure: time comes with the call.
//
// A cause is said when it begins, again while it lasts every `again`, and once when it is over. What comes
// back soon after it was over is said again, but must then stay away for longer before that is said: what
// flaps by the hour does not wake anybody by the hour.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "config/notify.h"
#include "ledger/alert_book.h"
#include "notify/condition.h"

namespace hakobu {

// Who tells.
struct NoticeOrigin {
  std::string ledger_id;
  std::string config_path;
  std::string host;
};

AlertChanges Judge(const std::vector<AlertRecord>& known, const Observation& observation,
                   const NotifyConfig& config, const NoticeOrigin& origin, absl::Time now);

// A message that says nothing but that it came: for each of the channels.
std::vector<NoticeRecord> TestNotices(const std::vector<std::string>& channels, const NoticeOrigin& origin,
                                      absl::Time now);

// How long what came back so often must stay away: at least `settle`.
absl::Duration HoldFor(uint64_t recurrences, absl::Duration settle);

// When a message that failed is tried again: after 5 s, twice as long each time, 15 min at the most, or when
// the receiver asked for. `tries`: those that failed.
absl::Time NextTry(uint64_t tries, absl::Duration asked_for, absl::Time now);
// Nobody needs a message that is older.
inline constexpr absl::Duration kNoticeLife = absl::Hours(72);

}  // namespace hakobu
