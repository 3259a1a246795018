// Looks at the source's log beside the stream: how far behind it the stored position is, and how long until
// the source purges what is still needed. Warns while there is time to act.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "delivery/stream/headroom.h"
#include "delivery/stream/stream_context.h"
#include "ledger/stream_book.h"
#include "source/source.h"

namespace hakobu {

// How pressing it is. By what is left of the time for which the source keeps its log.
enum class HeadroomLevel : uint8_t { kEnough, kHalf, kQuarter, kTenth, kGone };
HeadroomLevel LevelOf(const Headroom& headroom, const LogState& state);

// How fast the source writes and the stream delivers, over the last minute or so. Not thread-safe.
class LogRates {
 public:
  struct Rates {
    double written_per_s = 0, delivered_per_s = 0;
  };
  // Places that `state` does not have any more begin anew.
  Rates Take(const LogState& state, std::string_view file, uint64_t offset, absl::Time now);

 private:
  struct Sample {
    absl::Time at;
    std::string end_file, file;
    uint64_t end_offset = 0, offset = 0;
  };
  std::deque<Sample> samples_;
};

// Thread-safe; Run is one thread's.
class HeadroomWatch {
 public:
  explicit HeadroomWatch(StreamContext* context) : context_(context) {}

  // Until the context's `stop`. A source that cannot be asked is asked again: what is known of it grows old,
  // and says when it was seen.
  void Run();
  // How far the stream is: everything before `position` is acknowledged, everything until `whole_until` is.
  void SetDelivered(const DeliveredPoint& position, absl::Time whole_until);
  // What was seen last; `looked` is InfinitePast before the first look.
  StreamHealth health() const;

 private:
  absl::Status Look();
  absl::Status Show(const Headroom& headroom, const LogState& state, StreamHealth health);
  void Warn(const Headroom& headroom, HeadroomLevel level, const StreamHealth& health);
  void Drop();

  StreamContext* context_;
  std::unique_ptr<Connection> source_;
  LogRates rates_;
  HeadroomLevel level_ = HeadroomLevel::kEnough;
  absl::Time warned_ = absl::InfinitePast();
  std::string refused_;  // why the source could not be asked, last time
  mutable absl::Mutex mutex_;
  DeliveredPoint position_ ABSL_GUARDED_BY(mutex_);
  absl::Time whole_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  StreamHealth health_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu
