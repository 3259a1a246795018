// What a run leaves for Prometheus: a file for node-exporter's textfile collector.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "ledger/run_book.h"

namespace hakobu {

struct RunTimes {
  absl::Time began;
  absl::Time ended;
  int exit_code = 0;
};

// A table and when what is in BigQuery of it was read.
using DeliveredAt = std::pair<std::string, absl::Time>;

// Pure. `report`: null when the run did not begin. `delivered`: of all tables, as the ledger knows it.
std::string RunMetricsText(const RunTimes& times, const RunReport* report,
                           const std::vector<DeliveredAt>& delivered, absl::Time last_success);

// Writes `metrics.textfile`, whole or not at all, where it is asked for. A failure is logged: the run itself
// is none the worse.
void WriteRunMetrics(const Config& config, const RunTimes& times, const RunReport* report);

}  // namespace hakobu
