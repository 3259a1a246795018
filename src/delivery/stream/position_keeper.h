// Which place in the log may be stored: one that every request before it is acknowledged for.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "ledger/stream_book.h"

namespace hakobu {

// A place between two transactions.
struct LogMark {
  DeliveredPoint position;
  // Everything committed before this is in the requests up to here.
  absl::Time whole_until = absl::InfinitePast();
  std::map<size_t, uint64_t> history_rows;          // by lane: rows of the log before here
  std::shared_ptr<const std::string> schemas_json;  // as they are here; null: as at the mark before
};

// Thread-safe. One thread issues tickets and marks, in the log's order; others acknowledge. Also the budget
// of what is encoded and not acknowledged.
class PositionKeeper {
 public:
  explicit PositionKeeper(uint64_t budget_bytes) : budget_bytes_(budget_bytes) {}

  // A request is on its way. Waits while the budget is used up; false when Stop was called.
  bool Issue(uint64_t bytes, uint64_t* ticket);
  void Acknowledge(uint64_t ticket, uint64_t bytes);
  // All changes before `mark` are in tickets issued so far.
  void Mark(LogMark mark);

  // The newest mark that is acknowledged, once.
  std::optional<LogMark> TakeAcknowledged();
  // Waits until all tickets issued so far are acknowledged; false when Stop was called or time is up.
  bool WaitForAll(absl::Duration longest);
  bool idle() const;  // nothing is on its way, and no acknowledged mark waits to be taken
  void Stop();
  uint64_t held_bytes() const;

 private:
  struct Marked {
    uint64_t tickets;  // issued before it
    LogMark mark;
  };
  bool AllAcknowledged() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return open_.empty() || stopped_; }

  const uint64_t budget_bytes_;
  mutable absl::Mutex mutex_;
  uint64_t issued_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<uint64_t> open_ ABSL_GUARDED_BY(mutex_);  // tickets
  uint64_t held_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Marked> marks_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hakobu
