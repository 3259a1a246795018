// How far the stream is: the place that the ledger holds, moved on as BigQuery acknowledges.
#pragma once

#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "delivery/stream/position_keeper.h"
#include "delivery/stream/stream_context.h"

namespace hakobu {

// Store is one thread's; the rest is thread-safe.
class StoredPlace {
 public:
  explicit StoredPlace(StreamContext* context) : context_(context) {}

  void Begin(const DeliveredPoint& position);  // is in the ledger
  // Takes the newest place that everything before is acknowledged for into the ledger, with what it makes of
  // tables. A disk that is full is waited out: the place comes with a later call.
  absl::Status Store();

  struct View {
    DeliveredPoint position;
    absl::Time whole_until = absl::InfinitePast();  // everything committed until then is in BigQuery
  };
  View view() const;

 private:
  std::vector<StreamTableProgress> ProgressAt(const LogMark& mark) const;
  void Take(LogMark mark);

  StreamContext* context_;
  std::optional<LogMark> unstored_;  // acknowledged, and not in the ledger
  absl::Time not_before_ = absl::InfinitePast();
  mutable absl::Mutex mutex_;
  View view_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu
