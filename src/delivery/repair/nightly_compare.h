// One table that runs deliver, compared with its source. docs/gaps.md says what is compared in each mode.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "delivery/repair/multiset_sql.h"
#include "delivery/repair/repair.h"
#include "delivery/repair/repair_context.h"
#include "delivery/table_work.h"

namespace hakobu {

// `work` as SelectTables gives it. Fills what was found and what was not compared. FailedPrecondition: there
// is nothing to compare, or the configuration is another than the rows were delivered by.
absl::Status CompareNightly(RepairContext* context, TableWork work, RepairedTable* table);

// MultisetSql's answer.
absl::StatusOr<Differences> AskDifferences(RepairContext* context, const MultisetQuestion& question,
                                           std::vector<std::string>* first_keys);

// A streamed table without a key: by how often each row is there, as far as its history tells.
absl::Status CompareKeyless(RepairContext* context, const TableWork& work, RepairedTable* table);

}  // namespace hakobu
