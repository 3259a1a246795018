// What the threads of one run share.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "decode/decode.h"
#include "delivery/sides.h"
#include "delivery/table_work.h"
#include "delivery/window.h"
#include "ledger/ledger.h"

namespace hakobu {

// Connections that are open now, so that a cancelled run does not wait for a blocked read. Thread-safe.
class OpenConnections {
 public:
  void Add(Connection* connection);
  void Remove(Connection* connection);
  void InterruptAll();

 private:
  absl::Mutex mutex_;
  absl::flat_hash_set<Connection*> connections_ ABSL_GUARDED_BY(mutex_);
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
};

// What all connections of the run made the source do. Thread-safe.
class SourceLoadSum {
 public:
  void Add(const LoadCounters& counters);
  LoadCounters sum() const;

 private:
  mutable absl::Mutex mutex_;
  LoadCounters sum_ ABSL_GUARDED_BY(mutex_);
};

// One table while it is delivered.
struct TableRun {
  TableWork work;
  std::vector<ChunkRecord> chunks;  // each is touched by one thread at a time
  TableName staging;       // where chunks go: a staging table, or the target itself (append by streams)
  bool direct = false;     // staging is the target
  std::string where;       // the configuration's filter and the cursor's window
  SourceTable read_as;     // work.source, with the key that the chunks are ranges of
  bool by_cursor = false;  // that key begins with the cursor: a row that changes meanwhile can come twice
  uint64_t estimated_rows = 0;  // that will be read
  std::optional<CursorState> next_cursor;
  bool first_load = false;  // incremental with nothing in BigQuery yet: published as a whole
  std::unique_ptr<RowDecoder> decoder;
  bool resumed = false;

  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> chunks_done{0};
  std::atomic<uint64_t> retries{0};
  std::atomic<bool> stopped{false};  // failed: its remaining chunks are left

  absl::Mutex mutex;
  RunTableRecord record ABSL_GUARDED_BY(mutex);
  absl::Status failure ABSL_GUARDED_BY(mutex);
  bool destination_ready ABSL_GUARDED_BY(mutex) = false;
  absl::Time started ABSL_GUARDED_BY(mutex) = absl::InfiniteFuture();
  std::vector<std::string> notes ABSL_GUARDED_BY(mutex);
};

struct RunContext {
  const Config* config = nullptr;
  RunOptions options;
  const Cancellation* cancel = nullptr;
  Clock* clock = nullptr;
  ConnectOptions connect;
  Destination destination;
  Ledger* ledger = nullptr;
  std::string run_id;
  OpenConnections connections;
  SourceLoadSum load;
};

// A connection of the run: registered for interruption, its load counted when it goes.
class RunConnection {
 public:
  explicit RunConnection(RunContext* run) : run_(run) {}
  ~RunConnection() { Close(); }
  RunConnection(const RunConnection&) = delete;
  RunConnection& operator=(const RunConnection&) = delete;

  // Opens unless it is open.
  absl::StatusOr<Connection*> Get();
  // For a connection that is in an unknown state: what it cost is not known any more.
  void Drop();
  void Close();

 private:
  RunContext* run_;
  std::unique_ptr<Connection> connection_;
  LoadCounters before_;
};

}  // namespace hakobu
