// What somebody was told is wrong, and the messages that are on their way to him (the outbox).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/enum_name.h"
#include "ledger/session.h"

namespace hakobu {

// One cause, from the first time it was said on.
struct AlertRecord {
  std::string cause{};  // "run:table:shop.members": the same words for the same trouble
  std::string level{};  // "warning", "critical"
  std::string title{};
  std::string detail{};
  uint64_t episode = 0;                          // counts how often it began
  uint64_t recurrences = 0;                      // of them, soon after it had ended
  absl::Time since = absl::InfinitePast();       // of this episode
  absl::Time said = absl::InfinitePast();        // for the last time
  absl::Time gone_since = absl::InfinitePast();  // not seen any more, but not yet called over
  absl::Time ended = absl::InfinitePast();       // never: it lasts
  bool lasts() const { return ended == absl::InfinitePast(); }
};

// kWaiting: not yet delivered. kGivenUp: nobody took it for days.
enum class NoticeState : uint8_t { kWaiting, kDelivered, kGivenUp };
inline constexpr std::string_view kNoticeStateNames[] = {"waiting", "delivered", "given up"};
constexpr std::span<const std::string_view> NamesOf(NoticeState) {
  return kNoticeStateNames;
}

// One message to one channel.
struct NoticeRecord {
  uint64_t number = 0;  // 1, 2, …; given by Post
  std::string channel{};
  std::string cause{};
  std::string event_json{};  // what is told; no secret is in it
  absl::Time created = absl::InfinitePast();
  NoticeState state = NoticeState::kWaiting;
  uint64_t tries = 0;
  absl::Time next_try = absl::InfinitePast();
  absl::Time ended = absl::InfinitePast();
  std::string error{};    // of the last try
  std::string claimed{};  // by which process
  absl::Time claimed_until = absl::InfinitePast();
};

// What is to become of the alerts, and what is to be told with it.
struct AlertChanges {
  std::vector<AlertRecord> alerts;
  std::vector<NoticeRecord> notices;
  bool empty() const { return alerts.empty() && notices.empty(); }
};

// Thread-safe, and safe beside other processes.
class AlertBook {
 public:
  explicit AlertBook(LedgerFile* file) : file_(file) {}

  // `judge` is given all alerts; what it answers is stored with its messages in one transaction. It must be
  // quick and leave the ledger alone.
  using Judge = std::function<AlertChanges(const std::vector<AlertRecord>&)>;
  absl::Status Change(const Judge& judge);
  absl::StatusOr<std::vector<AlertRecord>> Alerts();  // by cause

  // Takes the next message that may be tried: the oldest of its channel and cause that waits, whose time has
  // come, and that no other process is about to send; of these the one that was tried least, so that a
  // channel that hangs holds up no other. It is this process's until `until`.
  absl::StatusOr<std::optional<NoticeRecord>> Claim(const std::string& owner, absl::Time now,
                                                    absl::Time until);
  // Stores the claimed message as it is now, and lets it go. FailedPrecondition when it is another's by now.
  absl::Status Settle(const NoticeRecord& notice, const std::string& owner);
  absl::StatusOr<std::vector<NoticeRecord>> Notices(size_t newest);  // newest first
  // When the next one may be tried; InfiniteFuture: none waits.
  absl::StatusOr<absl::Time> NextTry();
  // Messages that ended before are forgotten, but never the newest.
  absl::Status Forget(absl::Time before);

 private:
  LedgerFile* file_;
};

}  // namespace hakobu
