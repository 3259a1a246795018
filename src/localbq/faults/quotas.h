// Google's published limits, enforced when asked for.
// Source: https://cloud.google.com/bigquery/quotas; the errors:
// https://cloud.google.com/bigquery/docs/troubleshoot-quotas
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "localbq/faults/rule.h"

namespace hakobu::localbq {

// REST's reason of a refusal ("rateLimitExceeded"); empty of other errors.
std::string QuotaReason(const absl::Status& status);

// Thread-safe. Every refusal is ResourceExhausted with Google's text and QuotaReason.
class Quotas {
 public:
  void Set(const QuotaSettings& settings);
  QuotaSettings settings() const;
  bool is_on() const { return is_on_.load(std::memory_order_relaxed); }

  // Takes one of each limit the call counts for, or none when one is used up. `partitioned`: of the table.
  absl::Status Charge(const Call& call, bool partitioned = false) {
    return is_on() ? ChargeAt(call, partitioned, absl::Now()) : absl::OkStatus();
  }
  absl::Status ChargeAt(const Call& call, bool partitioned, absl::Time now);
  // AppendRows' bytes per second and project.
  absl::Status ChargeBytes(const Call& call, int64_t bytes);
  // What may be open at the same time: "AppendRows" connections of a project, "api" requests of a user,
  // "queue" jobs of a project. Release what was granted.
  absl::Status Hold(std::string_view what, std::string_view owner);
  void Release(std::string_view what, std::string_view owner);

 private:
  struct Uses {
    absl::Time at;
    int64_t amount;
  };
  struct Window {
    std::deque<Uses> uses;
    int64_t total = 0;
  };
  int64_t Scaled(int64_t number) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t TotalOf(const std::string& key, absl::Duration length, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::atomic<bool> is_on_{false};
  mutable absl::Mutex mutex_;
  QuotaSettings settings_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Window> windows_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, int64_t> held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakobu::localbq
