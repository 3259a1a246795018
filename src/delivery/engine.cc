#include "delivery/engine.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/notification.h"
#include "base/check.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/chunk_delivery.h"
#include "delivery/governed/run_gate.h"
#include "delivery/publish.h"
#include "delivery/staging.h"

namespace hakobu {

void FailTable(RunContext* run, TableRun* table, const absl::Status& status) {
  table->stopped = true;
  absl::MutexLock lock(&table->mutex);
  if (!table->failure.ok()) return;
  table->failure = status;
  table->record.error = std::string(View(status.message()));
  const RunTableEvent event = run->cancel->cancelled() ? RunTableEvent::kCancel : RunTableEvent::kFail;
  if (run->ledger->runs().AdvanceTable(&table->record, event).ok()) return;
  // The failure itself may be the ledger's.
  table->record.state = Next(table->record.state, event).value_or(table->record.state);
}

absl::Status PublishAndRecord(RunContext* run, TableRun* table) {
  absl::Status status = EnsureDestination(run, table);
  if (status.ok()) {
    absl::MutexLock lock(&table->mutex);
    status = run->ledger->runs().AdvanceTable(&table->record, RunTableEvent::kPublish);
  }
  if (status.ok()) status = PublishTable(run, table);
  HAKOBU_RETURN_IF_ERROR(status);
  absl::MutexLock lock(&table->mutex);
  table->record.error.clear();  // of the interrupted run that this one continued
  table->record.rows = table->rows;
  table->record.bytes = table->bytes;
  table->record.seconds += absl::ToDoubleSeconds(run->clock->Now() - table->started);
  HAKOBU_RETURN_IF_ERROR(run->ledger->runs().AdvanceTable(&table->record, RunTableEvent::kPublished));
  CrashPoint("run.table_done");
  return absl::OkStatus();
}

namespace {

constexpr size_t kMostPublishers = 4;

class Engine {
 public:
  Engine(RunContext* run, const TableRuns& tables, RunObserver* observer)
      : run_(run), tables_(tables), observer_(observer) {}
  void Deliver();

 private:
  struct Task {
    TableRun* table;
    ChunkRecord* chunk;
  };

  void FillQueues();
  std::optional<Task> NextTask();
  void ChunkDone(TableRun* table);
  TableRun* NextPublication();
  void Fail(TableRun* table, const absl::Status& status) { FailTable(run_, table, status); }
  void FailAll(const absl::Status& status);
  void ReadLoop();
  void PublishLoop();
  void WatchCancellation();
  void ShowProgress();
  std::vector<TableProgress> Progress() const;

  RunContext* run_;
  const TableRuns& tables_;
  RunObserver* observer_;
  absl::Notification ended_;

  absl::Mutex mutex_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  std::deque<TableRun*> publications_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<TableRun*, size_t> left_ ABSL_GUARDED_BY(mutex_);  // chunks not finished
  bool reading_ ABSL_GUARDED_BY(mutex_) = true;
};

void Engine::FillQueues() {
  // Large tables first: small ones fill the gaps at the end.
  std::vector<TableRun*> order;
  for (const auto& table : tables_) order.push_back(table.get());
  std::stable_sort(order.begin(), order.end(), [](const TableRun* a, const TableRun* b) {
    return a->work.source.data_bytes > b->work.source.data_bytes;
  });
  absl::MutexLock lock(&mutex_);
  for (TableRun* table : order) {
    {
      absl::MutexLock table_lock(&table->mutex);
      if (table->record.state == RunTableState::kDone || !table->failure.ok()) continue;
    }
    size_t left = 0;
    for (ChunkRecord& chunk : table->chunks) {
      if (chunk.state == ChunkState::kDone) continue;
      tasks_.push_back({table, &chunk});
      ++left;
    }
    left_[table] = left;
    if (left == 0) publications_.push_back(table);
  }
}

std::optional<Engine::Task> Engine::NextTask() {
  absl::MutexLock lock(&mutex_);
  while (!tasks_.empty()) {
    const Task task = tasks_.front();
    tasks_.pop_front();
    HAKOBU_CHECK(task.chunk->state != ChunkState::kDone, "a chunk that is finished would be read again",
                 kStartAgain);
    if (!task.table->stopped) return task;
  }
  return std::nullopt;
}

void Engine::ChunkDone(TableRun* table) {
  const uint64_t done = ++table->chunks_done;
  HAKOBU_CHECK(done <= table->chunks.size(), "more chunks of a table ended than it has", kStartAgain);
  absl::MutexLock lock(&mutex_);
  HAKOBU_CHECK(left_[table] > 0,
               "more chunks of a table ended than were begun: it could be published too early", kStartAgain);
  if (--left_[table] == 0 && !table->stopped) publications_.push_back(table);
}

TableRun* Engine::NextPublication() {
  absl::MutexLock lock(&mutex_);
  const auto ready = [this]()
                         ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !publications_.empty() || !reading_; };
  mutex_.Await(absl::Condition(&ready));
  if (publications_.empty()) return nullptr;
  TableRun* table = publications_.front();
  publications_.pop_front();
  HAKOBU_CHECK(left_[table] == 0, "a table would be published before all of its chunks are there",
               kStartAgain);
  return table;
}

void Engine::FailAll(const absl::Status& status) {
  for (const auto& table : tables_) {
    bool done = false;
    {
      absl::MutexLock lock(&table->mutex);
      done = table->record.state == RunTableState::kDone || table->record.state == RunTableState::kPublishing;
    }
    if (!done) Fail(table.get(), status);
  }
}

void Engine::ReadLoop() {
  run_->readers.Add(ReaderState::kReading, 1);
  ChunkDelivery delivery(run_);
  while (const std::optional<Task> task = NextTask()) {
    absl::Status status = run_->gate->Enter(*task->table);
    if (status.ok()) status = EnsureDestination(run_, task->table);
    if (status.ok()) status = delivery.Deliver(task->table, task->chunk);
    if (status.ok()) {
      ChunkDone(task->table);
    } else if (status.code() == absl::StatusCode::kUnavailable ||
               status.code() == absl::StatusCode::kResourceExhausted || run_->cancel->cancelled()) {
      // A side that stays away, or a full disk: no table would fare better.
      FailAll(status);
    } else {
      Fail(task->table, status);
    }
  }
  run_->readers.Add(ReaderState::kReading, -1);
}

void Engine::PublishLoop() {
  while (TableRun* table = NextPublication()) {
    const absl::Status cancelled = run_->cancel->Check();
    if (!cancelled.ok()) {
      Fail(table, cancelled);
      continue;
    }
    const absl::Status published = PublishAndRecord(run_, table);
    if (!published.ok()) Fail(table, published);
  }
}

void Engine::WatchCancellation() {
  while (!ended_.HasBeenNotified()) {
    if (run_->cancel->WaitFor(absl::Milliseconds(50))) {
      run_->connections->InterruptAll();
      return;
    }
  }
}

std::vector<TableProgress> Engine::Progress() const {
  std::vector<TableProgress> progress;
  for (const auto& table : tables_) {
    TableProgress one;
    one.source = table->work.name;
    one.rows = table->rows;
    one.bytes = table->bytes;
    one.estimated_rows = table->estimated_rows;
    one.chunks_done = table->chunks_done;
    one.chunks = table->chunks.size();
    absl::MutexLock lock(&table->mutex);
    one.state = NameOf(table->record.state);
    progress.push_back(std::move(one));
  }
  return progress;
}

void Engine::ShowProgress() {
  while (!ended_.WaitForNotificationWithTimeout(absl::Milliseconds(200))) observer_->OnProgress(Progress());
  observer_->OnProgress(Progress());
}

void Engine::Deliver() {
  FillQueues();
  std::thread watcher([this] { WatchCancellation(); });
  std::thread progress([this] {
    if (observer_ != nullptr) ShowProgress();
  });
  std::vector<std::thread> publishers;
  for (size_t i = 0; i < std::min(kMostPublishers, tables_.size()); ++i) {
    publishers.emplace_back([this] { PublishLoop(); });
  }
  std::vector<std::thread> readers;
  for (uint32_t i = 0; i < std::max(1U, run_->config->source.connections); ++i) {
    readers.emplace_back([this] { ReadLoop(); });
  }
  for (std::thread& reader : readers) reader.join();
  {
    absl::MutexLock lock(&mutex_);
    reading_ = false;
  }
  for (std::thread& publisher : publishers) publisher.join();
  ended_.Notify();
  progress.join();
  watcher.join();
}

}  // namespace

void DeliverTables(RunContext* run, const TableRuns& tables, RunObserver* observer) {
  Engine(run, tables, observer).Deliver();
}

}  // namespace hakobu
