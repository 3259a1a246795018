// What of a run somebody should be told (docs/alerts.md). Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "notify/condition.h"

namespace hakobu {

// Marks what `accept` knows of in the report: on that day, and in that number.
void MarkAccepted(const Config& config, RunReport* report);

// `whole`: all tables that are configured were asked for.
Observation ObserveRun(const RunReport& report, bool whole);
// It did not begin, or ended before any table.
Observation ObserveNoRun(const absl::Status& status);
// The promised hour has come and the run has not ended.
Observation ObserveMissedPromise(const std::string& promise, const std::vector<std::string>& missing);

}  // namespace hakobu
