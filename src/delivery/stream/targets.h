// The stream's tables in BigQuery: made with their key, kept in step with the source's columns.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config.h"
#include "delivery/session.h"
#include "delivery/stream/lane_schema.h"

namespace hakobu {

// Makes the dataset when there is none.
absl::Status EnsureStreamDataset(const DeliverySession& session);

// For a table whose copy begins. What is there already stays, with its rows and all that hangs on it, and
// gets the schema's columns and key; where there is none it is made, empty. `make_again`: what is there is
// the stream's own, nothing hangs on it, and it goes first. Takes away from `schema` what the configuration
// ignores.
enum class Existing : uint8_t { kNone, kStays, kMakeAgain };
absl::Status BeginTarget(const DeliverySession& session, Existing existing, const TableOptions& options,
                         LaneSchema* schema);

// For a table that goes on: brings what is there to the schema as far as that loses nothing in the rows that
// are there (CompareSchemas), and takes away from `schema` what the configuration ignores. `may_drop`: the
// change is one of the log, now, rather than a start in the middle of it. NotFound: the table is gone.
// DataLoss: it cannot follow. Returns what was done.
enum class Follow : uint8_t { kAddOnly, kAll };
absl::StatusOr<std::vector<SchemaChange>> FollowTarget(const DeliverySession& session, Follow follow,
                                                       LaneSchema* schema);

// For a table that goes on, before its contract is recorded: its description, labels, clustering and
// staleness as the configuration has them now. What cannot follow is said, and the table goes on.
absl::Status FollowSettings(const DeliverySession& session, const LaneSchema& schema);

}  // namespace hakobu
