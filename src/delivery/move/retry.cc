#include "delivery/move/retry.h"

#include <limits>

#include "base/status.h"
#include "destination/error.h"

namespace hakobu {
namespace {

constexpr int kNewStreams = 5;

RetryPolicy PolicyOf(const MoveAttempts::Limits& limits) {
  RetryPolicy policy;
  policy.first_delay = limits.first_delay;
  policy.longest_delay = limits.longest_delay;
  policy.max_elapsed = limits.patience;
  if (limits.patience == absl::InfiniteDuration()) policy.max_tries = std::numeric_limits<int>::max();
  return policy;
}

// What a job of a new id may pass.
bool DeservesNewJob(const absl::Status& status) {
  const Remedy remedy = RemedyFor(status);
  return IsJobsOwnError(status) && (remedy == Remedy::kRetry || remedy == Remedy::kRetryWithNewJobId);
}

}  // namespace

bool PassesByItself(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kAborted ||
         status.code() == absl::StatusCode::kDeadlineExceeded;
}

bool IsStreamGone(const absl::Status& status) {
  const std::optional<StorageErrorCode> code = StorageCode(status);
  if (!code.has_value()) return status.code() == absl::StatusCode::kOutOfRange;
  return *code == StorageErrorCode::kStreamNotFound || *code == StorageErrorCode::kInvalidStreamState ||
         *code == StorageErrorCode::kStreamFinalized || *code == StorageErrorCode::kOffsetOutOfRange ||
         *code == StorageErrorCode::kOffsetAlreadyExists;
}

bool IsJobsOwnError(const absl::Status& status) {
  return HttpStatus(status) == 0 && !ErrorReason(status).empty();
}

MoveAttempts::MoveAttempts(const Limits& limits, Clock* clock, const Cancellation* cancel)
    : limits_(limits),
      context_{.clock = clock, .cancellation = cancel, .jitter = {}},
      backoff_(PolicyOf(limits), context_) {}

absl::Status MoveAttempts::Again(const absl::Status& failure) {
  HAKOBU_RETURN_IF_ERROR(context_.cancellation->Check());
  if (IsStreamGone(failure) && new_streams_ < kNewStreams) {
    ++new_streams_;
    return absl::OkStatus();
  }
  const bool passes = PassesByItself(failure) || DeservesNewJob(failure);
  if (!passes && ++own_failures_ >= limits_.own_tries) return failure;
  return backoff_.Wait(failure);
}

void MoveAttempts::Reset() {
  backoff_.Reset();
  new_streams_ = 0;
  own_failures_ = 0;
}

}  // namespace hakobu
