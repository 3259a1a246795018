// Whether somebody has taken all rows of a target while the stream writes to it. BigQuery tells neither who
// changed a table nor how; but a row that was at the source before a place of the log, and is there still,
// must be in the target once that place has been delivered.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "delivery/stream/stream_context.h"

namespace hakobu {

// One thread.
class Emptied {
 public:
  explicit Emptied(StreamContext* context) : context_(context) {}

  // FailedPrecondition: it was emptied. OK: it was not, or that could not be proven. `resource`: the
  // target's. Asks only while BigQuery counts no row in it, and once for each of its changes.
  absl::Status Look(const StreamTable& table, const LaneSchema& schema, const std::string& resource);

 private:
  absl::StatusOr<bool> IsProven(const StreamTable& table, const LaneSchema& schema,
                                const std::string& resource);
  // The row with the smallest key, as text; of a history any row. Absent: the source has none.
  absl::StatusOr<std::optional<std::string>> FirstRow(Connection* source, const LaneSchema& schema);
  // False: it did not get there in time.
  absl::StatusOr<bool> IsDeliveredUpTo(const LogPoint& end);

  StreamContext* context_;
  std::map<size_t, int64_t> seen_;  // the table's lane to the target's last change that was looked at
};

}  // namespace hakobu
