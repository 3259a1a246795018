#include "destination/retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>
#include <string>

#include "destination/error.h"

namespace hakobu {
namespace {

// Rows of BIGQUERY.md C, from cloud.google.com/bigquery/docs/error-messages.
constexpr std::string_view kRetryReasons[] = {"backendError", "internalError", "rateLimitExceeded",
                                              "userRateLimitExceeded"};
constexpr std::string_view kNewJobReasons[] = {"jobBackendError", "jobInternalError", "jobRateLimitExceeded"};
// Known to be for ever (or for hours), whatever HTTP status they come with.
constexpr std::string_view kPermanentReasons[] = {"quotaExceeded",     "accessDenied",
                                                  "billingNotEnabled", "blocked",
                                                  "responseTooLarge",  "notFound",
                                                  "invalid",           "invalidQuery",
                                                  "resourceInUse",     "resourcesExceeded",
                                                  "badRequest",        "notImplemented",
                                                  "stopped",           "billingTierLimitExceeded",
                                                  "conditionNotMet"};

template <size_t N>
bool IsOneOf(std::string_view reason, const std::string_view (&reasons)[N]) {
  return std::find(std::begin(reasons), std::end(reasons), reason) != std::end(reasons);
}

bool IsTransientHttp(int status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

double ThreadJitter() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace

Remedy RemedyForRest(int http_status, std::string_view reason, RestCall call) {
  if (IsOneOf(reason, kRetryReasons)) return Remedy::kRetry;
  if (IsOneOf(reason, kNewJobReasons)) return Remedy::kRetryWithNewJobId;
  if (reason == "duplicate" || (reason.empty() && http_status == 409)) {
    return call == RestCall::kJobInsert ? Remedy::kAlreadyDone : Remedy::kGiveUp;
  }
  if (IsOneOf(reason, kPermanentReasons)) return Remedy::kGiveUp;
  return IsTransientHttp(http_status) ? Remedy::kRetry : Remedy::kGiveUp;
}

Remedy RemedyForUnary(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
      return Remedy::kRetry;
    default:
      return Remedy::kGiveUp;
  }
}

Remedy RemedyForAppend(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kAlreadyExists:
      return Remedy::kAlreadyDone;
    case absl::StatusCode::kOutOfRange:
      return ExpectedOffset(View(status.message())) ? Remedy::kRewind : Remedy::kGiveUp;
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnknown:
      return Remedy::kRetry;
    case absl::StatusCode::kResourceExhausted:
      // gRPC's own refusal of a message that is too large never changes.
      return View(status.message()).find("message larger than max") == std::string_view::npos
                 ? Remedy::kRetry
                 : Remedy::kGiveUp;
    default:
      return Remedy::kGiveUp;
  }
}

std::optional<int64_t> ExpectedOffset(std::string_view message) {
  constexpr std::string_view kMark = "expected offset ";
  const size_t mark = message.find(kMark);
  if (mark == std::string_view::npos) return std::nullopt;
  const char* begin = message.data() + mark + kMark.size();
  int64_t offset = 0;
  const auto [end, error] = std::from_chars(begin, message.data() + message.size(), offset);
  if (error != std::errc() || end == begin || offset < 0) return std::nullopt;
  return offset;
}

Remedy RemedyFor(const absl::Status& status) {
  if (status.ok()) return Remedy::kAlreadyDone;
  const std::string reason = ErrorReason(status);
  const int http_status = HttpStatus(status);
  if (http_status != 0 || !reason.empty()) return RemedyForRest(http_status, reason);
  return RemedyForUnary(status);
}

absl::Status SleepFor(const RetryContext& context, absl::Duration duration) {
  const absl::Time end = context.clock->Now() + duration;
  while (true) {
    if (context.cancellation != nullptr) HAKOBU_RETURN_IF_ERROR(context.cancellation->Check());
    const absl::Duration left = end - context.clock->Now();
    if (left <= absl::ZeroDuration()) return absl::OkStatus();
    context.clock->Sleep(std::min(left, absl::Milliseconds(100)));
  }
}

Backoff::Backoff(const RetryPolicy& policy, const RetryContext& context)
    : policy_(policy), context_(context), start_(context.clock->Now()), delay_(policy.first_delay) {}

void Backoff::Reset() {
  start_ = context_.clock->Now();
  delay_ = policy_.first_delay;
  tries_ = 1;
}

absl::Duration Backoff::NextDelay() {
  const double share = 0.5 + 0.5 * (context_.jitter ? context_.jitter() : ThreadJitter());
  const absl::Duration delay = delay_ * share;
  delay_ = std::min(delay_ * policy_.multiplier, policy_.longest_delay);
  return delay;
}

absl::StatusOr<absl::Duration> Backoff::Next(const absl::Status& failure) {
  const absl::Duration delay = NextDelay();
  const absl::Duration elapsed = context_.clock->Now() - start_;
  if (tries_ >= policy_.max_tries || elapsed + delay > policy_.max_elapsed) {
    return Annotate(failure, fmt::format("after {} {} in {} s", tries_, tries_ == 1 ? "try" : "tries",
                                         absl::ToInt64Seconds(elapsed)));
  }
  ++tries_;
  return delay;
}

absl::Status Backoff::Wait(const absl::Status& failure) {
  HAKOBU_ASSIGN_OR_RETURN(const absl::Duration delay, Next(failure));
  return SleepFor(context_, delay);
}

}  // namespace hakobu
