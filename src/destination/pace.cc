#include "destination/pace.h"

#include <algorithm>

#include "base/status.h"

namespace hakobu {
namespace {

// Keys whose calls are all past are dropped when there are more than so many.
constexpr size_t kManyKeys = 10'000;

}  // namespace

void Pace::Forget(std::deque<absl::Time>* calls, absl::Time now) {
  absl::Duration longest;
  for (const PaceLimit& limit : limits_) longest = std::max(longest, limit.window);
  while (!calls->empty() && now - calls->front() >= longest) calls->pop_front();
}

absl::Duration Pace::Take(std::string_view key, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  if (calls_.size() > kManyKeys) {
    for (auto& [other, calls] : calls_) Forget(&calls, now);
    std::erase_if(calls_, [](const auto& item) { return item.second.empty(); });
  }
  std::deque<absl::Time>& calls = calls_[std::string(key)];
  Forget(&calls, now);
  absl::Duration wait;
  for (const PaceLimit& limit : limits_) {
    if (calls.size() < limit.calls) continue;
    const absl::Time oldest = calls[calls.size() - limit.calls];
    wait = std::max(wait, limit.window - (now - oldest));
  }
  if (wait <= absl::ZeroDuration()) calls.push_back(now);
  return std::max(wait, absl::ZeroDuration());
}

absl::Status Pace::Wait(const RetryContext& context, std::string_view key) {
  while (true) {
    const absl::Duration wait = Take(key, context.clock->Now());
    if (wait <= absl::ZeroDuration()) return absl::OkStatus();
    HAKOBU_RETURN_IF_ERROR(SleepFor(context, wait));
  }
}

}  // namespace hakobu
