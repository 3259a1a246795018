// Jobs that put a table in place, each with its id in the ledger before it is started: whoever comes later
// finds that very job, finished or not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "delivery/run_context.h"

namespace hakobu {

// The id of the next attempt: a job that failed has used its id up.
std::string NextJobId(std::string_view id);

// The steps of one table's publication that the ledger holds. One thread.
class PublishSteps {
 public:
  static absl::StatusOr<PublishSteps> Read(RunContext* run, const std::string& source);

  const PublishStepRecord* Find(PublishStep step) const;
  bool Done(PublishStep step) const;
  absl::Status Record(PublishStepRecord step);
  // Runs the job unless the step is done. `identity` (when the tables were made that the job reads) keeps a
  // job apart from one on earlier tables of the same names. The id moves on only after a job of it has
  // finished as a failure.
  absl::StatusOr<Job> RunJobOnce(PublishStep step, std::string_view identity,
                                 const std::string& configuration);

 private:
  PublishSteps(RunContext* run, std::string source) : run_(run), source_(std::move(source)) {}

  RunContext* run_;
  std::string source_;
  std::vector<PublishStepRecord> steps_;
};

}  // namespace hakobu
