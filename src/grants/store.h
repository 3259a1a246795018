// Where access lists are read and written: BigQuery, or a double in tests.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "grants/call_pacer.h"
#include "grants/plan.h"

namespace hakobu {

class Rest;

// Thread-safe.
class AccessStore {
 public:
  virtual ~AccessStore() = default;
  virtual absl::StatusOr<std::vector<std::string>> Datasets() = 0;
  // `target`: "dataset" or "dataset.table".
  virtual absl::StatusOr<TargetState> Read(const std::string& target) = 0;
  // Replaces the access list if the etag still is that of `before`: FailedPrecondition (or Aborted, for a
  // table) when it is not. The new etag. One update of the service's metadata.
  virtual absl::StatusOr<std::string> Write(const TargetState& before,
                                            const std::vector<AccessEntry>& entries) = 0;
};

// `rest` must not retry by itself (RetryPolicy::max_tries 1): every try is counted and paced here, and what
// can be tried again is, up to `patience`. All pointers outlive the store.
struct BigqueryStoreOptions {
  Rest* rest = nullptr;
  std::string project;
  CallPacer* pacer = nullptr;
  Clock* clock = Clock::Real();
  const Cancellation* cancellation = nullptr;
  absl::Duration patience = absl::Minutes(2);
};
std::unique_ptr<AccessStore> OpenBigqueryStore(const BigqueryStoreOptions& options);

// Reads all targets, `parallel` at a time; `progress` (may be empty) is called with how many are done.
// Targets that could not be read are in `failed`.
struct ReadResult {
  std::vector<TargetState> states;  // in the order of `targets`
  std::vector<std::pair<std::string, absl::Status>> failed;
};
ReadResult ReadTargets(AccessStore& store, const std::vector<std::string>& targets, int parallel,
                       const std::function<void(size_t)>& progress);

}  // namespace hakobu
