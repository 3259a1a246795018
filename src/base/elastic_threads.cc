#include "base/elastic_threads.h"

#include <utility>

namespace hakobu {

void ElasticThreads::Post(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  tasks_.push_back(std::move(task));
  if (tasks_.size() > idle_ && threads_.size() < most_) threads_.emplace_back([this] { Work(); });
}

void ElasticThreads::Join() {
  std::vector<std::thread> threads;
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void ElasticThreads::Work() {
  absl::MutexLock lock(&mutex_);
  const auto has_something = [this]()
                                 ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_ || !tasks_.empty(); };
  while (true) {
    ++idle_;
    mutex_.Await(absl::Condition(&has_something));
    --idle_;
    if (tasks_.empty()) return;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    mutex_.Unlock();
    task();
    task = nullptr;  // what it holds goes without the lock
    mutex_.Lock();
  }
}

}  // namespace hakobu
