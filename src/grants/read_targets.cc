#include <algorithm>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "grants/store.h"

namespace hakobu {

ReadResult ReadTargets(AccessStore& store, const std::vector<std::string>& targets, int parallel,
                       const std::function<void(size_t)>& progress) {
  std::vector<absl::StatusOr<TargetState>> answers(targets.size(), absl::UnknownError("not read"));
  absl::Mutex mutex;
  size_t next = 0, done = 0;
  const auto work = [&] {
    while (true) {
      size_t at;
      {
        absl::MutexLock lock(&mutex);
        if (next >= targets.size()) return;
        at = next++;
      }
      answers[at] = store.Read(targets[at]);
      absl::MutexLock lock(&mutex);
      if (progress) progress(++done);
    }
  };
  std::vector<std::thread> threads;
  const size_t count = std::min<size_t>(static_cast<size_t>(std::max(parallel, 1)), targets.size());
  for (size_t at = 0; at < count; ++at) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  ReadResult result;
  for (size_t at = 0; at < targets.size(); ++at) {
    if (answers[at].ok())
      result.states.push_back(*std::move(answers[at]));
    else
      result.failed.emplace_back(targets[at], answers[at].status());
  }
  return result;
}

}  // namespace hakobu
