// BigQuery Table resources [REST v2: tables] that a run creates and patches. Pure: JSON text in and out.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "delivery/table_work.h"
#include "delivery/target_state.h"

namespace hakobu {

// {timePartitioning | rangePartitioning, clustering}: what the configuration wants, {} when nothing.
std::string PartitionJson(const TableWork& work);

// What a load job says of a table that it makes: layout, description, labels.
std::string NewTableJson(const TableWork& work);

// What marks a table as a run's own, so that leftovers are found: labels of the staging table.
struct StagingLabels {
  std::string ledger;
  std::string run;
};

// The staging table: the wanted schema with the target's own descriptions and policy tags, a date on which
// BigQuery removes it if nobody else has, and, for rows that come by load jobs, the layout that the target
// has (or will have): a copy takes no other. Its partitions never expire, whatever the dataset says of new
// tables. Rows that come by streams are staged without partitions, of which streams take few.
std::string StagingResource(const TableWork& work, const PublishTarget& target, const StagingLabels& labels,
                            absl::Time expires);
// `schema.fields` of a load into the target: modes as the target has them. `target`: its resource, or empty.
std::string LoadFieldsJson(const TableWork& work, std::string_view target);
// The target when rows are written to it directly and it does not exist yet.
std::string TargetResource(const TableWork& work);
// What the target lacks after it was put in place: description, labels, descriptions and policy tags of
// columns, key, clustering, partition filter. `before` is its resource before that (its own again where the
// table object stayed), or empty for a new one. Empty: nothing to do.
std::string TargetPatch(std::string_view target, std::string_view before, const TableWork& work);

}  // namespace hakobu
