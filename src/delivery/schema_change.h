// What differs between the table as BigQuery has it and as this run would make it, and what is done about it.
// Pure. docs/schema-changes.md states the behaviours.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "delivery/delivery.h"
#include "delivery/table_work.h"

namespace hakobu {

struct SchemaChanges {
  std::vector<SchemaChange> changes;
  std::vector<std::string> ddl;  // GoogleSQL to run on the target before rows are written to it, in order
  // Mode replace: whether the new schema is more than the old one with further columns. Where the table's own
  // schema is to be kept nevertheless (of what hangs on it), `ddl` brings it there, `ddl_after` takes away
  // what is gone once the new rows are in place, and `cannot_alter` says what BigQuery cannot do.
  bool replaces_schema = false;
  std::vector<std::string> ddl_after;
  absl::Status cannot_alter;
};

// `existing` is BigQuery's Table resource. `delivered_before` is SchemaJson of the last delivery, or empty: a
// column that is gone and one that is new are the same, renamed, when both had the same place and type in the
// source. Mode replace: the new schema wins, whole. Append and incremental change the target in place, and
// only by what loses nothing. DataLoss for what the configuration or BigQuery refuses. May take fields away
// from `work` (added: ignore).
absl::StatusOr<SchemaChanges> CompareSchemas(std::string_view existing, std::string_view delivered_before,
                                             TableWork* work);

// Partitioning and clustering cannot be changed by a copy: DataLoss, with what to do, when the target's
// partitioning is not the configuration's.
absl::Status CheckPartitioning(std::string_view existing, const TableWork& work);

}  // namespace hakobu
