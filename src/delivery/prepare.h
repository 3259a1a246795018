// The preflight that `plan` and `run` share: reads both sides, changes neither, and says all problems at
// once. A table's trouble is its own: the others can be delivered.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "delivery/run_context.h"

namespace hakobu {

struct Prepared {
  std::vector<TableWork> tables;  // that can be delivered
  std::vector<TableTrouble> troubles;
  bool dataset_exists = false;
  std::string fingerprint;
  std::vector<std::string> notes;
};

// An error when there is no table that can be delivered, or for what is no single table's trouble.
absl::StatusOr<Prepared> Prepare(RunContext* run, Connection* source);

// Whether the dataset is there, and where the configuration says.
absl::Status CheckDataset(RunContext* run, Prepared* prepared);

// Looks at the target, and writes into `work`, which has been mapped, what the run does about it. `source`
// may be null where `work.rows` is known.
absl::Status CompareWithTarget(RunContext* run, Connection* source, bool dataset_exists, TableWork* work);

}  // namespace hakobu
