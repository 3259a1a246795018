// The source's rows as they are now, in a table beside the target that BigQuery compares it with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "delivery/move/request_pool.h"
#include "delivery/move/source_lease.h"
#include "delivery/repair/repair_context.h"
#include "delivery/table_work.h"

namespace hakobu {

// One thread. The table goes with this, or a week later by itself.
class RowsBeside {
 public:
  // `work` has the columns that are read; `where` is SQL on the source, empty for all rows.
  RowsBeside(RepairContext* context, const TableWork& work, std::string where);

  ~RowsBeside();
  RowsBeside(const RowsBeside&) = delete;
  RowsBeside& operator=(const RowsBeside&) = delete;

  // Reads them all; what an earlier call has read goes.
  absl::Status Read();

  const TableName& table() const { return table_; }
  uint64_t rows() const { return rows_; }
  uint64_t chunks() const { return chunks_; }

 private:
  absl::Status Remove();
  absl::Status Make();
  absl::Status ReadOne(const Chunk& bounds);
  absl::Status ReadOnce(const Chunk& bounds, uint64_t* rows);

  RepairContext* context_;
  const TableWork& work_;
  const std::string where_;
  const TableName table_;
  SourceLease source_;
  std::shared_ptr<RequestPool> pool_ = std::make_shared<RequestPool>();
  uint64_t rows_ = 0;
  uint64_t chunks_ = 0;
};

}  // namespace hakobu
