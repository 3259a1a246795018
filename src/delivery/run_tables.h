// The tables of a run as the ledger has them: written down when a run begins, read back when one continues.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "delivery/prepare.h"
#include "delivery/run_context.h"

namespace hakobu {

using TableRuns = std::vector<std::unique_ptr<TableRun>>;

// Plans windows and chunks and writes them to the ledger, table by table.
absl::StatusOr<TableRuns> BeginTables(RunContext* run, Connection* source, std::vector<TableWork> works);

// The tables of run->run_id, with their finished chunks. Tables that the interrupted run never wrote down are
// begun.
absl::StatusOr<TableRuns> ContinueTables(RunContext* run, Connection* source, std::vector<TableWork> works);

// Whether all that the ledger says was written is still there in BigQuery, so that the run can be continued.
absl::StatusOr<bool> CanContinue(RunContext* run, const std::string& run_id);

}  // namespace hakobu
