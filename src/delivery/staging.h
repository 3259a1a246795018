// The tables in BigQuery that rows are written to before they are published, and what dead runs left of them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "delivery/run_context.h"

namespace hakobu {

TableName StagingName(const RunContext& run, const TableName& target);

// Creates the dataset (and the staging dataset) when there is none.
absl::Status EnsureDatasets(RunContext* run, bool dataset_exists);

// Before the table's first chunk: makes its staging table, or for streams straight to the target the target
// itself, or its new columns. Idempotent; one thread does it while the others of the table wait.
absl::Status EnsureDestination(RunContext* run, TableRun* table);

absl::Status CreateTarget(RunContext* run, const TableWork& work);  // unless it is there
// Runs the statements, one after the other.
absl::Status AlterTarget(RunContext* run, const TableWork& work, const std::vector<std::string>& ddl);
// When the staging table was made: what tells it from an earlier one of its name. NotFound when there is
// none.
absl::StatusOr<std::string> StagingCreated(Rest& rest, const TableName& staging);

// Removes the staging tables of this ledger's runs but for `keep_run` (may be empty) and marks those runs
// abandoned. Returns what was removed, for the report.
absl::StatusOr<std::vector<std::string>> RemoveLeftovers(RunContext* run, const std::string& keep_run);

}  // namespace hakobu
