// BigQuery Table resources [REST v2: tables] that a run creates and patches. Pure: JSON text in and out.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "delivery/table_work.h"

namespace hakobu {

// {timePartitioning | rangePartitioning, clustering}: what the configuration wants, {} when nothing.
std::string PartitionJson(const TableWork& work);

// What marks a table as a run's own, so that leftovers are found: labels of the staging table.
struct StagingLabels {
  std::string ledger;
  std::string run;
};

// The staging table: the wanted schema with the target's own descriptions and policy tags, its partitioning,
// and a date on which BigQuery removes it if nobody else has.
std::string StagingResource(const TableWork& work, const StagingLabels& labels, absl::Time expires);
// The target when rows are written to it directly and it does not exist yet.
std::string TargetResource(const TableWork& work);
// `{"schema": {…}}` for the staging table when the target's descriptions or policy tags have changed since it
// was made; empty when they have not.
std::string StagingPatch(std::string_view staging, std::string_view target, const TableWork& work);
// What the target lacks after the copy: description, labels, descriptions and policy tags of columns,
// partition filter. `before` is the target's resource before the copy, or empty. Empty: nothing to do.
std::string TargetPatch(std::string_view target, std::string_view before, const TableWork& work);

}  // namespace hakobu
