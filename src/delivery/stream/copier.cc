#include "delivery/stream/copier.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/move/retry.h"
#include "delivery/stream/table_copy.h"

namespace hakobu {
namespace {

// Tries that fail for the table's own sake: the schema was changed while it was read, most often.
constexpr int kCopyTries = 20;
constexpr absl::Duration kFirstDelay = absl::Milliseconds(500), kLongestDelay = absl::Seconds(5);
constexpr absl::Duration kLookForWork = absl::Milliseconds(200);

}  // namespace

void Copier::Add(StreamTable* table, std::string joined) {
  absl::MutexLock lock(&mutex_);
  Task& task = tasks_.emplace_back();
  task.table = table;
  task.joined = std::move(joined);
}

bool Copier::idle() const {
  absl::MutexLock lock(&mutex_);
  return tasks_.empty() && working_.empty();
}

void Copier::Cancel(StreamTable* table) {
  table->cancel_copy = true;
  absl::MutexLock lock(&mutex_);
  std::erase_if(tasks_, [&](const Task& task) { return task.table == table; });
  if (const auto found = working_.find(table); found != working_.end()) found->second->InterruptAll();
  const auto ended = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !working_.contains(table); };
  mutex_.Await(absl::Condition(&ended));
  table->cancel_copy = false;
}

void Copier::Interrupt() {
  absl::MutexLock lock(&mutex_);
  for (const auto& [table, connections] : working_) connections->InterruptAll();
}

std::optional<Copier::Task> Copier::Take() {
  absl::MutexLock lock(&mutex_);
  const absl::Time now = context_->clock->Now();
  const auto due =
      std::find_if(tasks_.begin(), tasks_.end(), [&](const Task& task) { return task.not_before <= now; });
  if (due == tasks_.end()) return std::nullopt;
  Task task = std::move(*due);
  tasks_.erase(due);
  HAKOBU_CHECK(!working_.contains(task.table), "two threads would copy one table", kStartAgain);
  working_[task.table] = std::make_shared<OpenConnections>();
  return task;
}

bool Copier::MayTryAgain(Task* task, const absl::Status& status) {
  if (PassesByItself(status)) return true;
  if (task->failed_at.has_value()) {
    return context_->followed() < *task->failed_at || ++task->tries < kCopyTries;
  }
  const absl::StatusOr<std::unique_ptr<Connection>> source = Connection::Open(context_->connect);
  if (!source.ok()) return true;
  const absl::StatusOr<LogPoint> now = ReadLogPoint(source->get());
  if (now.ok()) task->failed_at = ChangeSequence::At(*now, context_->epoch);
  return true;
}

void Copier::Again(Task task, const absl::Status& status, bool progress) {
  if (progress) {
    task.delay = absl::ZeroDuration();
    task.failed_at.reset();
    task.tries = 0;
  }
  const bool goes_on = MayTryAgain(&task, status);
  if (!goes_on && !task.table->cancel_copy) context_->StopTable(task.table, status);
  if (goes_on) {
    Log(LogSeverity::kWarning, "copy failed, trying again",
        {{"table", task.table->name}, {"error", std::string(View(status.message()))}});
    task.delay = std::clamp(2 * task.delay, kFirstDelay, kLongestDelay);
    task.not_before = context_->clock->Now() + task.delay;
  }
  absl::MutexLock lock(&mutex_);
  working_.erase(task.table);
  if (goes_on && !task.table->cancel_copy) tasks_.push_back(std::move(task));
}

void Copier::Work() {
  while (!context_->stop.cancelled()) {
    std::optional<Task> task = Take();
    if (!task.has_value()) {
      if (context_->stop.WaitFor(kLookForWork)) return;
      continue;
    }
    std::shared_ptr<OpenConnections> connections;
    {
      absl::MutexLock lock(&mutex_);
      connections = working_[task->table];
      HAKOBU_CHECK(connections != nullptr, "a copy is under way that nobody began", kStartAgain);
    }
    bool progress = false;
    const absl::Status status =
        TableCopy(context_, task->table, task->joined, connections.get()).Copy(&progress);
    const bool over =
        status.ok() || absl::IsCancelled(status) || context_->stop.cancelled() || task->table->cancel_copy;
    if (!over) {
      Again(*std::move(task), status, progress);
      continue;
    }
    absl::MutexLock lock(&mutex_);
    working_.erase(task->table);
  }
}

}  // namespace hakobu
