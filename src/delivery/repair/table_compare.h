// One streamed table compared with its source, and made equal to it. The source is read by key ranges into a
// table beside the target, and BigQuery compares the two; docs/gaps.md says why the result is exact.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "delivery/move/request_pool.h"
#include "delivery/repair/compare_sql.h"
#include "delivery/repair/repair_context.h"
#include "delivery/sealed_values.h"
#include "delivery/stream/lane_schema.h"
#include "encode/encode.h"

namespace hakobu {

// One thread. Changes nothing on the source.
class TableCompare {
 public:
  // `work` as SelectTables gives it. FailedPrecondition: the table is not streamed, has no key, or its
  // columns wait for the stream to follow them.
  static absl::StatusOr<std::unique_ptr<TableCompare>> Open(RepairContext* context, const TableWork& work);
  ~TableCompare();

  // Reads every key range that an earlier process has not read already.
  absl::Status ReadSource();
  // All rows against all rows.
  absl::StatusOr<Differences> Compare();
  // Only what differed last: waits for the stream, reads its key ranges anew. What the stream was about to
  // deliver is no difference any more.
  absl::StatusOr<Differences> CompareAgain();
  // Sends what the source has now for what differed last, and compares that again.
  absl::StatusOr<Differences> Repair();
  // Removes the tables beside the target and what the ledger holds of them.
  absl::Status Finish();

  const std::string& name() const { return lane_.work.name; }
  const TableName& target() const { return lane_.work.target; }
  uint64_t chunks() const { return chunks_.size(); }
  uint64_t rows() const;
  // Keys that differed in the last comparison, "17, Osaka"; at most 10.
  absl::StatusOr<std::vector<std::string>> FirstKeys();
  // The source's place when the last reading began: "binlog.000003:157", and its GTIDs.
  const std::string& position() const { return position_; }
  // Whether changes before it were still on their way to BigQuery at the end: no stream was running.
  bool stream_is_behind() const { return behind_; }

 private:
  TableCompare(RepairContext* context, LaneSchema lane)
      : context_(context),
        lane_(std::move(lane)),
        source_(context->source()),
        values_(context->ledger->id(), lane_.work) {}

  absl::Status Prepare();
  absl::Status Begin(const std::string& fingerprint);
  absl::StatusOr<bool> Resume(const std::string& fingerprint);
  absl::Status MakeRowsTable();
  absl::StatusOr<std::string> NoteSequence();
  absl::Status NotePosition();
  absl::StatusOr<Chunk> BoundsOf(const StreamChunkRecord& chunk) const;
  absl::Status WaitForStream();
  absl::Status ReadChunks(const std::vector<size_t>& numbers, const std::string& send_sequence);
  absl::Status ReadChunk(StreamChunkRecord* chunk, bool durable, const std::string& send_sequence);
  absl::Status ReadOnce(StreamChunkRecord* chunk, bool durable, const std::string& send_sequence);
  absl::Status SendExtra();
  absl::Status AppendToHistory(const std::string& sequence);
  absl::StatusOr<std::vector<size_t>> ChunksThatDiffered();
  absl::StatusOr<std::vector<size_t>> ChunksOfExtra(bool* all);
  absl::StatusOr<Differences> Count();
  absl::Status Run(const std::string& sql);
  absl::Status Ask(const std::string& sql, absl::FunctionRef<absl::Status(const RowValues&)> each);
  TableName Beside(std::string_view suffix) const;
  CompareTables Tables() const;

  RepairContext* context_;
  LaneSchema lane_;
  SourceTable read_;  // the lane's source, and behind it chunk and round
  TableSchema rows_;  // of the table of rows
  std::string partition_column_;
  SourceLease source_;
  const SealedValues values_;
  std::shared_ptr<RequestPool> pool_ = std::make_shared<RequestPool>();
  RepairTableRecord record_;
  std::vector<StreamChunkRecord> chunks_;
  int64_t found_round_ = 0;  // the table of findings that counts
  Differences found_;
  std::string position_;
  bool behind_ = false;
};

}  // namespace hakobu
