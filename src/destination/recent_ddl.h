// Tables whose definition this process has changed a moment ago. tables.get may not find them for a while
// [estuary/connectors, materialize-bigquery: 404 after DDL, gone after a few tries of 2 s].
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hakobu {

// For so long after DDL a table that is not found is asked for again.
inline constexpr absl::Duration kHiddenAfterDdl = absl::Seconds(30);

// Thread-safe.
class RecentDdl {
 public:
  void Note(std::string_view table, absl::Time now);
  // It was deleted: not found is an answer again.
  void Forget(std::string_view table);
  bool MayBeHidden(std::string_view table, absl::Time now) const;

 private:
  mutable absl::Mutex mutex_;
  std::map<std::string, absl::Time, std::less<>> changed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu
