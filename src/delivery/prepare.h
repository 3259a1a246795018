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

// Chunks of one table, at most `most`: larger ones when there would be more. Adds a note when it is read in
// one pass.
absl::StatusOr<std::vector<Chunk>> PlanTableChunks(RunContext* run, Connection* source, const TableWork& work,
                                                   const Window* window, std::vector<std::string>* notes);

}  // namespace hakobu
