// What happens before the first event is read: which tables there are, what they look like at the place where
// reading begins, what their contracts say, and how each of them goes on.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "delivery/stream/follower.h"
#include "delivery/stream/start_contracts.h"
#include "delivery/stream/stream_context.h"
#include "source/source.h"

namespace hakobu {

// One thread.
class StreamStart {
 public:
  StreamStart(StreamContext* context, Follower* follower)
      : context_(context), follower_(follower), contracts_(context) {}

  // Errors: InvalidArgument (configuration, preflight), DataLoss (a contract), Unavailable: it may be called
  // again, of a new one.
  absl::Status Prepare();
  const DeliveredPoint& position() const { return position_; }  // in the ledger: reading begins here
  const LogPoint& goal() const { return goal_; }                // the end of the log once all was prepared

 private:
  absl::Status SelectStreamTables(Connection* source);
  absl::StatusOr<std::unique_ptr<SchemaFollower>> OpenSchemas(Connection* source,
                                                              const std::set<std::string>& databases);
  absl::Status AddGoneTable(const StreamTableRecord& record);
  absl::Status LoadRecords();
  absl::Status JoinTable(StreamTable* table);

  StreamContext* context_;
  Follower* follower_;
  StartContracts contracts_;
  DeliveredPoint position_;
  bool first_ = false;  // there was no stored place
  LogPoint goal_;
};

}  // namespace hakobu
