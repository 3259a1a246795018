// Write streams that outlive a connection and a crash. What a stream has taken is written in the same DuckDB
// transaction as the rows themselves, so an acknowledged append is there once, and an offset is never taken
// twice.
//
// COMMITTED rows go into the table. PENDING and BUFFERED rows wait in a DuckDB table of the stream's own,
// which a commit or flush moves. The default stream keeps no state.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/warehouse.h"
#include "localbq/faults/faults.h"
#include "localbq/storage_api/resource_name.h"

namespace hakobu::localbq {

// The numbers are WriteStream.Type's.
enum class StreamType : int { kCommitted = 1, kPending = 2, kBuffered = 3 };

struct WriteStream {
  int64_t id = 0;
  std::string name;  // the whole path
  TableId table;
  int64_t generation = 0;
  StreamType type = StreamType::kCommitted;
  int64_t created_us = 0;

  absl::Mutex mutex;  // held while an append, flush, finalize or commit is on its way
  int64_t next_offset ABSL_GUARDED_BY(mutex) = 0;
  int64_t flushed ABSL_GUARDED_BY(mutex) = 0;       // BUFFERED: rows that are in the table
  int64_t committed_us ABSL_GUARDED_BY(mutex) = 0;  // PENDING: 0 until the commit
  bool finalized ABSL_GUARDED_BY(mutex) = false;
  std::atomic<int64_t> used_us = 0;  // last appended to, or read back at a start
  std::atomic<int64_t> lapses_us =
      0;  // PENDING, finalized, not committed: when its rows are let go; 0: never
  int64_t staging_version ABSL_GUARDED_BY(mutex) = 0;  // the table's schema_version its staging table follows
};
using WriteStreamPtr = std::shared_ptr<WriteStream>;

// Rows to append, decoded: columns in the schema's order.
struct RowBlock {
  std::span<Chunk* const> chunks;
  int64_t rows = 0;
  std::optional<int64_t> offset;  // where the writer says they begin
};
struct AppendOutcome {
  absl::Status status;
  int64_t offset = 0;  // of the first row, where status is OK
};

// Thread-safe.
class WriteStreams {
 public:
  // Reads back what streams there were. Streams committed or left alone for a week are forgotten.
  // `faults` outlives it.
  static absl::StatusOr<std::unique_ptr<WriteStreams>> Open(Catalog* catalog, Faults* faults);

  absl::StatusOr<WriteStreamPtr> Create(const TableId& table, StreamType type);
  // NotFound in Google's words.
  absl::StatusOr<WriteStreamPtr> Find(std::string_view name);

  // Appends the blocks in order, in one transaction; each answers for itself. `schema_version`: which schema
  // the chunks were made for. FailedPrecondition: the table has another one now, and nothing was appended.
  absl::StatusOr<std::vector<AppendOutcome>> Append(WriteStream& stream, int64_t schema_version,
                                                    std::span<const RowBlock> blocks);

  // Answers how many rows the stream has.
  absl::StatusOr<int64_t> Finalize(WriteStream& stream);
  // Makes rows up to `offset` (inclusive) visible; answers the offset that is flushed now.
  absl::StatusOr<int64_t> Flush(WriteStream& stream, std::optional<int64_t> offset);
  // All of them or none. Not OK: the request itself is wrong. With `stream_errors` (StorageStatus each)
  // nothing was committed; else the time of the commit.
  struct CommitResult {
    std::vector<absl::Status> stream_errors;
    int64_t committed_us = 0;
  };
  absl::StatusOr<CommitResult> Commit(const TableId& table, const std::vector<std::string>& names);

  // Drops what streams of the table keep, in the transaction that drops the table.
  absl::Status Forget(Connection& connection, const Table& table);

 private:
  WriteStreams(Catalog* catalog, Faults* faults) : catalog_(catalog), faults_(faults) {}
  void Touch(WriteStream& stream) const;
  void Lapse(WriteStream& stream) const;
  absl::Status Load();
  absl::Status AppendRows(Connection& connection, const Table& table, WriteStream& stream,
                          std::span<const RowBlock* const> blocks, int64_t first_offset)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stream.mutex);
  absl::Status MoveStaged(Connection& connection, const Table& table, WriteStream& stream,
                          std::string_view condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stream.mutex);

  Catalog* const catalog_;
  Faults* const faults_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, WriteStreamPtr> streams_ ABSL_GUARDED_BY(mutex_);
  int64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Appends chunks to a table inside the connection's transaction. Plain names.
absl::Status AppendChunks(Connection& connection, const std::string& schema, const std::string& table,
                          std::span<const Chunk* const> chunks);

}  // namespace hakobu::localbq
