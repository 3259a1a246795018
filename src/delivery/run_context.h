// What the threads of one run share.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "decode/decode.h"
#include "delivery/governed/reader_states.h"
#include "delivery/load_pace.h"
#include "delivery/move/source_lease.h"
#include "delivery/publish_method.h"
#include "delivery/sealed_values.h"
#include "delivery/session.h"
#include "delivery/table_work.h"
#include "delivery/window.h"

namespace hakobu {

// One table while it is delivered.
struct TableRun {
  TableWork work;
  std::vector<ChunkRecord> chunks;  // each is touched by one thread at a time
  PublishChoice publish;            // how the rows get into the target
  TableName staging;                // where chunks go: a staging table, or the target itself
  // The table that chunks go to, from EnsureDestination on: when it was made (milliseconds since 1970, "new"
  // for a target that its load makes). Part of the job's ids: a load of an earlier table of the name is not
  // this one's.
  std::string staging_created;
  PublishTarget target;  // from EnsureDestination on
  LoadPace pace;
  std::string window;      // the cursor's window, as SQL; empty: none
  std::string where;       // the configuration's filter and the window
  SourceTable read_as;     // work.source, with the key that the chunks are ranges of
  bool by_cursor = false;  // that key begins with the cursor: a row that changes meanwhile can come twice
  uint64_t estimated_rows = 0;  // that will be read
  std::optional<CursorState> next_cursor;
  std::optional<SealedValues> values;  // what the ledger keeps of the table's own values
  std::unique_ptr<RowDecoder> decoder;
  bool resumed = false;

  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> chunks_done{0};
  std::atomic<uint64_t> retries{0};
  std::atomic<bool> stopped{false};    // failed: its remaining chunks are left
  std::atomic<bool> unchanged{false};  // the target holds these rows already

  bool direct() const { return IsDirect(publish.method); }

  absl::Mutex mutex;
  RunTableRecord record ABSL_GUARDED_BY(mutex);
  absl::Status failure ABSL_GUARDED_BY(mutex);
  bool destination_ready ABSL_GUARDED_BY(mutex) = false;
  absl::Time started ABSL_GUARDED_BY(mutex) = absl::InfiniteFuture();
  std::vector<std::string> notes ABSL_GUARDED_BY(mutex);
};

class RunGate;

struct RunContext : DeliverySession {
  RunOptions options;
  const Cancellation* cancel = nullptr;
  ServiceAnswers service;  // as the ledger has them when the run begins
  std::string run_id;
  std::shared_ptr<OpenConnections> connections = std::make_shared<OpenConnections>();
  SourceLoadSum load;
  ReaderStates readers;
  RunGate* gate = nullptr;  // while tables are delivered

  SourceAccess source() {
    return {.connect = &connect, .cancel = cancel, .connections = connections.get(), .load = &load};
  }
};

}  // namespace hakobu
