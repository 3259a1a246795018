// Tries, on a table of its own, the very calls that a run, a stream or grants will make, before any of them
// begins: what is refused is known by day and by name.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "destination/permissions.h"
#include "destination/rest.h"
#include "destination/tables.h"
#include "destination/write_stream.h"

namespace hakobu {

struct TrialPlan {
  DatasetName dataset;  // where the scratch tables are made: the staging dataset of runs, else the target's
  std::string billing_project;
  std::string location;
  std::string kms_key;
  uint8_t uses = 0;      // bits of Use
  bool appends = false;  // the Storage Write API will be used
};

struct TrialStep {
  std::string call;        // "load rows into a table"
  std::string permission;  // the first one that the call needs
  std::string place;       // "dataset p.d", "project p"
  bool needed = true;      // false: hakobu can do without, at a cost
  absl::Status status;     // of the call; a refusal carries a hint that names permission and role
};

// Makes `_hakobu_check_<random>` and a copy of it, uses them, deletes both; they expire in an hour should
// that fail. Every step is tried that can be without the ones refused before it. Cancellation ends it with
// what there is. Writes nothing else; bills one query's minimum.
std::vector<TrialStep> TryCalls(Rest& rest, StorageWrite& storage, const TrialPlan& plan);

// The status with what to do about it, if it is a refusal.
absl::Status ExplainRefusal(const absl::Status& status, std::string_view permission, std::string_view place);

}  // namespace hakobu
