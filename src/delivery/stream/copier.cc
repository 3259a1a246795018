#include "delivery/stream/copier.h"

#include "base/status.h"
#include "delivery/stream/table_copy.h"

namespace hakobu {

void Copier::Add(StreamTable* table, std::string joined) {
  absl::MutexLock lock(&mutex_);
  tasks_.push_back({table, std::move(joined)});
}

bool Copier::idle() const {
  absl::MutexLock lock(&mutex_);
  return tasks_.empty() && working_.empty();
}

void Copier::Cancel(StreamTable* table) {
  table->cancel_copy = true;
  absl::MutexLock lock(&mutex_);
  std::erase_if(tasks_, [&](const Task& task) { return task.table == table; });
  const auto ended = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !working_.contains(table); };
  mutex_.Await(absl::Condition(&ended));
  table->cancel_copy = false;
}

void Copier::Work() {
  constexpr absl::Duration kLookAround = absl::Milliseconds(200);
  while (!context_->stop.cancelled()) {
    Task task;
    {
      absl::MutexLock lock(&mutex_);
      const auto any = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !tasks_.empty(); };
      if (!mutex_.AwaitWithTimeout(absl::Condition(&any), kLookAround)) continue;
      task = std::move(tasks_.front());
      tasks_.pop_front();
      working_.insert(task.table);
    }
    const absl::Status status = TableCopy(context_, task.table, std::move(task.joined)).Copy();
    if (!status.ok() && !context_->stop.cancelled() && !task.table->cancel_copy) {
      context_->StopTable(task.table, status);
    }
    absl::MutexLock lock(&mutex_);
    working_.erase(task.table);
  }
}

}  // namespace hakobu
