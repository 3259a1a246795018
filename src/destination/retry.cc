#include "destination/retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>
#include <string>

#include "destination/error.h"

namespace hakobu {
namespace {

double ThreadJitter() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace

Remedy RemedyForUnary(const absl::Status& status) {
  return RemedyFor(FactsOf(Where::kUnary, status));
}

Remedy RemedyForAppend(const absl::Status& status) {
  const Remedy remedy = RemedyFor(FactsOf(Where::kAppend, status));
  return remedy == Remedy::kRewind && !ExpectedOffset(View(status.message())) ? Remedy::kGiveUp : remedy;
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
  if (HttpStatus(status) != 0) return RemedyFor(FactsOf(Where::kRest, status));
  return RemedyFor(FactsOf(ErrorReason(status).empty() ? Where::kUnary : Where::kJob, status));
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
