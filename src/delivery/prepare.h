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

}  // namespace hakobu
