// A table that one load job replaces whole: what is looked at between its last encoded row and the job.
#pragma once

#include "absl/status/statusor.h"
#include "delivery/publish_jobs.h"
#include "delivery/run_context.h"
#include "encode/content_sum.h"

namespace hakobu {

// False when the target holds exactly these rows already, as this ledger's last run left it: nothing is sent
// then. Else keeps the previous version where that is wanted. FailedPrecondition when row access policies
// have come since the run was planned.
absl::StatusOr<bool> PrepareDirectLoad(RunContext* run, TableRun* table, const ContentSum& content);

// Copies what the target holds to `<target>_previous`, once a run, where the configuration says so.
absl::Status KeepPrevious(const TableWork& work, const PublishTarget& target, PublishSteps* steps);

}  // namespace hakobu
