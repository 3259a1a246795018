// Whether there is anything to send: what a target was left with, against what a run has read.
#pragma once

#include "absl/status/statusor.h"
#include "delivery/table_work.h"
#include "delivery/target_state.h"
#include "encode/content_sum.h"
#include "ledger/ledger.h"

namespace hakobu {

// Whether the target holds exactly `content`: the ledger's last publication did, and neither the target's
// identity nor anything in it has changed since.
absl::StatusOr<bool> IsUnchanged(Ledger* ledger, const TableWork& work, const ContentSum& content,
                                 const PublishTarget& target);

// Keeps what a run has just published. Only if nobody changed the target after `job_ended_ms` (by BigQuery's
// clock): else nothing is kept, and the next run sends the table whatever it finds.
absl::Status KeepPublished(Ledger* ledger, const std::string& run_id, const TableWork& work,
                           const ContentSum& content, const PublishTarget& target, int64_t job_ended_ms);

}  // namespace hakobu
