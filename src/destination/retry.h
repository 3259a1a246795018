// The loop that does what retry_rules.h says after a failure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/outage.h"
#include "base/status.h"
#include "destination/retry_rules.h"

namespace hakobu {

// gRPC: unary methods of the Storage API, and AppendRows (in-band errors and the end of the call alike).
Remedy RemedyForUnary(const absl::Status& status);
Remedy RemedyForAppend(const absl::Status& status);

// The E of `expected offset E, received R`; absent when the message says nothing of the kind.
std::optional<int64_t> ExpectedOffset(std::string_view message);

// Any status this folder made: REST and jobs by their payloads, else as a unary method's.
Remedy RemedyFor(const absl::Status& status);

struct RetryPolicy {
  absl::Duration first_delay = absl::Milliseconds(500);
  absl::Duration longest_delay = absl::Seconds(32);
  double multiplier = 2;
  absl::Duration max_elapsed = absl::Minutes(10);  // from the first try; no try begins after it
  int max_tries = 1000;
};

// What retrying needs from outside. All pointers outlive the user.
struct RetryContext {
  Clock* clock = Clock::Real();
  const Cancellation* cancellation = nullptr;  // null: cannot be stopped
  std::function<double()> jitter;              // uniform in [0, 1); empty: a generator of the thread's own
  OutageListener* outages = nullptr;           // null: nobody is told of failures that are waited out
};

// Sleeps on the context's clock; Cancelled as soon as (within 100 ms) the context is cancelled.
absl::Status SleepFor(const RetryContext& context, absl::Duration duration);

// Delays of one sequence of tries: exponential, each between half and the whole of its step.
class Backoff {
 public:
  Backoff(const RetryPolicy& policy, const RetryContext& context);
  // Sleeps before the next try. Not OK: out of tries or time (`failure` with the number of tries) or
  // cancelled.
  absl::Status Wait(const absl::Status& failure);
  // The same without sleeping: how long to wait.
  absl::StatusOr<absl::Duration> Next(const absl::Status& failure);
  // After progress: delays and the time allowed begin anew.
  void Reset();
  int tries() const { return tries_; }

 private:
  absl::Duration NextDelay();
  const RetryPolicy policy_;
  const RetryContext& context_;
  absl::Time start_;
  absl::Duration delay_;
  int tries_ = 1;
};

// Only what is declared idempotent is ever sent again.
enum class Idempotency : uint8_t { kIdempotent, kOnce };

inline absl::Status StatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
absl::Status StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// Calls `operation` (returns Status or StatusOr) until it is OK, its remedy is not kRetry, or the policy is
// spent.
template <typename Operation>
auto Retry(const RetryPolicy& policy, const RetryContext& context, Idempotency idempotency,
           Operation&& operation) -> decltype(operation()) {
  Backoff backoff(policy, context);
  while (true) {
    if (context.cancellation != nullptr) HAKOBU_RETURN_IF_ERROR(context.cancellation->Check());
    auto result = operation();
    const absl::Status& status = StatusOf(result);
    if (status.ok() || idempotency == Idempotency::kOnce || RemedyFor(status) != Remedy::kRetry)
      return result;
    HAKOBU_RETURN_IF_ERROR(backoff.Wait(status));
  }
}

}  // namespace hakobu
