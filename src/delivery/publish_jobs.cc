#include "delivery/publish_jobs.h"

#include <fmt/format.h>

#include <charconv>

#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/move/retry.h"

namespace hakobu {

std::string NextJobId(std::string_view id) {
  const size_t mark = id.rfind('_');
  uint64_t attempt = 0;
  if (mark != std::string_view::npos) {
    const auto [end, error] = std::from_chars(id.data() + mark + 1, id.data() + id.size(), attempt);
    if (error == std::errc() && end == id.data() + id.size()) {
      return fmt::format("{}_{}", id.substr(0, mark), attempt + 1);
    }
  }
  return fmt::format("{}_1", id);
}

absl::StatusOr<PublishSteps> PublishSteps::Read(RunContext* run, const std::string& source) {
  PublishSteps steps(run, source);
  HAKOBU_ASSIGN_OR_RETURN(steps.steps_, run->ledger->runs().Steps(run->run_id, source));
  return steps;
}

const PublishStepRecord* PublishSteps::Find(PublishStep name) const {
  for (const PublishStepRecord& step : steps_) {
    if (step.step == name) return &step;
  }
  return nullptr;
}

bool PublishSteps::Done(PublishStep step) const {
  const PublishStepRecord* record = Find(step);
  return record != nullptr && record->done;
}

absl::Status PublishSteps::Record(PublishStepRecord step) {
  HAKOBU_RETURN_IF_ERROR(run_->ledger->runs().RecordStep(run_->run_id, source_, step));
  for (PublishStepRecord& known : steps_) {
    if (known.step != step.step) continue;
    known = std::move(step);
    return absl::OkStatus();
  }
  steps_.push_back(std::move(step));
  return absl::OkStatus();
}

absl::StatusOr<Job> PublishSteps::RunJobOnce(PublishStep step, std::string_view identity,
                                             const std::string& configuration) {
  const DestinationConfig& destination = run_->config->destination;
  const PublishStepRecord* recorded = Find(step);
  const std::string id = recorded == nullptr
                             ? MakeJobId(NameOf(step), {run_->ledger->id(), run_->run_id, source_, identity})
                             : recorded->detail;
  const JobName name{destination.billing_project, id, destination.location};
  if (recorded != nullptr && recorded->done) return GetJob(*run_->destination.rest, name);
  HAKOBU_RETURN_IF_ERROR(Record({.step = step, .detail = id, .done = false}));
  CrashPoint("publish.job_recorded");
  absl::StatusOr<Job> job = RunJob(*run_->destination.rest, name, configuration);
  if (!job.ok()) {
    if (IsJobsOwnError(job.status()) && job.status().code() != absl::StatusCode::kCancelled) {
      HAKOBU_RETURN_IF_ERROR(Record({.step = step, .detail = NextJobId(id), .done = false}));
    }
    return Annotate(job.status(), fmt::format("{} job {}", NameOf(step), id));
  }
  CrashPoint("publish.job_done");
  HAKOBU_RETURN_IF_ERROR(Record({.step = step, .detail = job->name.id, .done = true}));
  CrashPoint("publish.job_done_recorded");
  return job;
}

}  // namespace hakobu
