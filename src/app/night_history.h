// Past runs, as the ledger keeps their reports.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "governor/explain.h"

namespace hakobu {

struct Config;

struct NightTable {
  std::string source;
  double rows = 0, bytes = 0, seconds = 0;
};

struct PastNight {
  std::string run_id;
  std::string state;
  absl::Time started;
  bool late = false;
  std::string error;  // the first table's, or the run's
  NightFacts facts;
  std::vector<NightTable> tables;  // that were read whole by this run
};

// Runs that have ended, newest first. None where there is no ledger.
absl::StatusOr<std::vector<PastNight>> ReadNights(const Config& config);

}  // namespace hakobu
