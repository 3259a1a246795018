// A table's rows put in place anew: those that come are upserted over what is there, and their keys are noted
// in a table beside the target; then what is in the target and did not come goes. So readers find the old row
// or the new one of every key at any moment, and the table itself, with all that hangs on it, stays.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "delivery/move/request_pool.h"
#include "delivery/stream/stream_context.h"

namespace hakobu {

// One thread, that of the table's copy. Of tables with a key; a history's key is its source's.
class Sweep {
 public:
  // `sequence`: what the copied rows are sent with.
  Sweep(StreamContext* context, std::shared_ptr<const LaneSchema> schema, std::string sequence);
  const std::shared_ptr<const LaneSchema>& schema() const { return schema_; }
  // Whether its rows can be told apart in BigQuery.
  static bool Possible(const LaneSchema& schema);

  absl::Status Begin();            // an empty table of keys, before the first chunk is planned
  absl::StatusOr<bool> IsThere();  // false: what was noted is gone, and all must be read again
  absl::Status Take(const Batch& rows);
  absl::Status Flush();  // what was taken is kept
  // Removes what did not come. `rows`: so many were taken, at the least.
  absl::Status Finish(uint64_t rows);
  absl::Status Remove();  // the table of keys, once it is known that Finish is done

 private:
  absl::Status Prepare();
  absl::Status CheckKeys(uint64_t rows);
  absl::Status RemoveByKey();
  absl::Status AppendDeletes();
  absl::Status Send(std::shared_ptr<EncodedRows> request);
  absl::Status Ask(const std::string& sql, absl::FunctionRef<absl::Status(const RowValues&)> each);
  TableName Keys() const;

  StreamContext* context_;
  const std::shared_ptr<const LaneSchema> schema_;
  const std::string sequence_;
  TableSchema keys_;
  std::shared_ptr<RequestPool> pool_ = std::make_shared<RequestPool>();
  std::unique_ptr<ProtoEncoder> encoder_;
  std::shared_ptr<EncodedRows> open_;
  std::unique_ptr<WriteStream> stream_;
};

// A history whose rows cannot be told apart: a row `truncate` says that all before it is past. Once, however
// often.
absl::Status MarkHistoryEmptied(StreamContext* context, const LaneSchema& schema,
                                const std::string& sequence);

}  // namespace hakobu
