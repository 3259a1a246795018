// Where one chunk's rows go: a PENDING write stream, or a load job. What is not finished never becomes
// visible.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "delivery/run_context.h"
#include "encode/encode.h"

namespace hakobu {

struct SinkResult {
  std::string stream;  // the write stream's name or the load job's id; empty when nothing was sent
  uint64_t bytes = 0;
  ContentSum content;
};

// One thread. After an error the sink is only good for being destroyed.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual absl::Status Write(const Batch& batch) = 0;
  // All rows are in the table that they were written to, or (direct streams) will be when they are committed.
  virtual absl::StatusOr<SinkResult> Finish() = 0;
  virtual const Quarantine& quarantine() const = 0;
};

// Makes the stream's or job's name and counts durable before it is let go.
using SealChunk = std::function<absl::Status(const SinkResult&, const Quarantine&)>;

// `refused`: rows that BigQuery refused in the attempt before, by place in the chunk; the error of this
// attempt then names their keys. A staged chunk is committed as it ends, after `seal`: what is finalised and
// not committed is kept by the service for hours only. A direct one is not finalised before its table is
// published.
absl::StatusOr<std::unique_ptr<RowSink>> OpenStorageSink(RunContext* run, const TableRun& table,
                                                         std::vector<RowError> refused, SealChunk seal);

struct LoadSinkOptions {
  std::string job_id;
  LoadSettings load;
  LoadPace* pace = nullptr;
  SealChunk seal;
  // Asked when all rows are encoded and before the job exists: false leaves it at that, with nothing sent.
  // Empty: send.
  std::function<absl::StatusOr<bool>(const ContentSum&)> wanted;
  // Whether a chunk without rows is a job too: one that empties the table.
  bool send_empty = false;
};
absl::StatusOr<std::unique_ptr<RowSink>> OpenLoadSink(RunContext* run, const TableRun& table,
                                                      LoadSinkOptions options);

}  // namespace hakobu
