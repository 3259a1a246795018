#include "delivery/direct_load.h"

#include "base/status.h"
#include "delivery/publish_jobs.h"
#include "delivery/published_content.h"

namespace hakobu {

absl::Status KeepPrevious(const TableWork& work, const PublishTarget& target, PublishSteps* steps) {
  if (!work.options.keep_previous || !target.exists || work.mode != WriteMode::kReplace)
    return absl::OkStatus();
  TableName previous = work.target;
  previous.table += "_previous";
  return steps
      ->RunJobOnce(PublishStep::kPrevious, std::to_string(target.created_ms),
                   CopyConfiguration({work.target}, previous, WriteDisposition::kTruncate, target.kms_key))
      .status();
}

absl::StatusOr<bool> PrepareDirectLoad(RunContext* run, TableRun* table, const ContentSum& content) {
  const TableWork& work = table->work;
  HAKOBU_ASSIGN_OR_RETURN(const PublishTarget target, LookAtTarget(*run->destination.rest, work.target));
  if (target.row_policies == PublishTarget::Answer::kYes &&
      run->service.load_keeps_policies != PublishTarget::Answer::kYes) {
    return WithHint(absl::FailedPreconditionError(work.target.ToString() +
                                                  " got row access policies while the table was read"),
                    "run again: tables with row access policies are published in another way");
  }
  HAKOBU_ASSIGN_OR_RETURN(const bool unchanged, IsUnchanged(run->ledger, work, content, target));
  if (unchanged) return false;
  HAKOBU_ASSIGN_OR_RETURN(PublishSteps steps, PublishSteps::Read(run, work.name));
  HAKOBU_RETURN_IF_ERROR(KeepPrevious(work, target, &steps));
  return true;
}

}  // namespace hakobu
