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
  std::string stream;  // the write stream's name or the load job's id; empty when there was no row
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

// One thread. After an error the sink is only good for being destroyed.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual absl::Status Write(const Batch& batch) = 0;
  // All rows are acknowledged, and will be visible when they are published.
  virtual absl::StatusOr<SinkResult> Finish() = 0;
  Quarantine& quarantine() { return quarantine_; }

 protected:
  Quarantine quarantine_;
};

// `refused`: rows that BigQuery refused in the attempt before, by place in the chunk; the error of this
// attempt then names their keys.
absl::StatusOr<std::unique_ptr<RowSink>> OpenStorageSink(RunContext* run, const TableRun& table,
                                                         std::vector<RowError> refused);
// `seal` makes the job's id and counts durable before the job is let go.
absl::StatusOr<std::unique_ptr<RowSink>> OpenLoadSink(
    RunContext* run, const TableRun& table, const std::string& job_id,
    std::function<absl::Status(const SinkResult&, const Quarantine&)> seal);

}  // namespace hakobu
