// One chunk after the other, on one connection to the source: read, decode, encode, send, finish, checkpoint.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "delivery/row_sink.h"
#include "delivery/run_context.h"

namespace hakobu {

// Hands the chunk's rows to `take`, all of them anew each time.
using ReadRows = std::function<absl::Status(TableRun* table, const Chunk& bounds,
                                            absl::FunctionRef<absl::Status(Batch&)> take)>;

// One thread each.
class ChunkDelivery {
 public:
  // `read`: where rows come from; empty: a connection to the source.
  explicit ChunkDelivery(RunContext* run, ReadRows read = {})
      : run_(run), source_(run->source()), read_(std::move(read)) {}
  // Delivers the chunk and checkpoints it. What passes by itself (a lost connection, a restarting source, a
  // stream the service forgot) is tried again with a new stream until RunOptions::patience is spent without a
  // chunk finished.
  absl::Status Deliver(TableRun* table, ChunkRecord* chunk);

 private:
  absl::Status Attempt(TableRun* table, ChunkRecord* chunk);
  absl::Status ReadInto(TableRun* table, const Chunk& bounds, RowSink* sink);
  absl::StatusOr<std::unique_ptr<RowSink>> OpenSink(TableRun* table, ChunkRecord* chunk,
                                                    const std::string& job_id);

  // What an earlier attempt let go, and the ledger knows of.
  enum class Earlier : uint8_t {
    kNothing,  // there is none, or the service has never heard of it
    kFailed,   // a job that failed: its id is used up
    kDone
  };
  absl::StatusOr<Earlier> FindEarlier(TableRun* table, ChunkRecord* chunk);
  absl::StatusOr<Earlier> FindEarlierJob(const std::string& id);
  absl::StatusOr<Earlier> FindEarlierStream(const TableRun& table, const std::string& stream);

  RunContext* run_;
  SourceLease source_;
  const ReadRows read_;
  std::vector<RowError> refused_;  // by the attempt before
  // Counted into the table's progress by the attempt under way; taken back when it fails.
  uint64_t counted_rows_ = 0;
};

}  // namespace hakobu
