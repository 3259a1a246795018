// One table's first copy: plan, chunks, end. Goes on where an earlier try, or process, stopped.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "delivery/move/request_writer.h"
#include "delivery/move/source_lease.h"
#include "delivery/sealed_values.h"
#include "delivery/stream/stream_context.h"
#include "delivery/stream/sweep.h"
#include "source/source.h"

namespace hakobu {

// One thread.
class TableCopy {
 public:
  // `connections`: what this copy opens, so that it alone can be interrupted.
  TableCopy(StreamContext* context, StreamTable* table, std::string joined, OpenConnections* connections)
      : context_(context), table_(table), joined_(std::move(joined)), source_(context->source(connections)) {}
  // One try. Cancelled when the stream is being stopped, or the table is not to be copied any more.
  // `progress`: whether a chunk was copied, also when a later one failed.
  absl::Status Copy(bool* progress);

 private:
  absl::Status CopyAll(bool* progress);
  absl::Status Plan();
  absl::StatusOr<bool> IsPlanned(const SealedValues& values);
  // What does not come is to go afterwards: then `sweep_` is there, by the schema that is read by.
  absl::Status OpenSweep(const std::shared_ptr<const LaneSchema>& schema);
  absl::Status WaitForCommits();
  absl::Status CopyChunk(StreamChunkRecord* chunk);
  absl::Status CopyOnce(StreamChunkRecord* chunk);
  absl::Status CopyByKey(const Chunk& bounds, StreamChunkRecord* chunk);
  absl::Status CopyHistory(const Chunk& bounds, StreamChunkRecord* chunk);
  // Reads the chunk into `writer`.
  absl::Status Read(const Chunk& bounds, const std::shared_ptr<const LaneSchema>& of, RequestWriter* writer,
                    StreamChunkRecord* chunk);
  absl::Status FinishSweep();
  absl::Status Finish();
  absl::Status CheckGoingOn() const;

  StreamContext* context_;
  StreamTable* table_;
  const std::string joined_;
  SourceLease source_;
  std::shared_ptr<RequestPool> pool_ = std::make_shared<RequestPool>();
  std::unique_ptr<AppendConnection> connection_;
  AppendConnection::TargetId target_ = 0;
  std::string descriptor_;
  std::unique_ptr<Sweep> sweep_;
};

}  // namespace hakobu
