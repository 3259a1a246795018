// The preflight that `plan` and `run` share: reads both sides, changes neither, and says all problems at
// once.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "delivery/run_context.h"

namespace hakobu {

struct Prepared {
  std::vector<TableWork> tables;
  bool dataset_exists = false;
  std::string fingerprint;
  std::vector<std::string> notes;
};

absl::StatusOr<Prepared> Prepare(RunContext* run, Connection* source);

}  // namespace hakobu
