// What of a stream somebody should be told (docs/alerts.md). Pure.
#pragma once

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "config/notify.h"
#include "delivery/stream/stream.h"
#include "ledger/stream_book.h"
#include "notify/condition.h"

namespace hakobu {

// `gaps`: of the ledger; none when they could not be read now.
Observation ObserveStream(const StreamStatus& status, const std::optional<std::vector<StreamGapRecord>>& gaps,
                          const NotifyConfig& config, absl::Time now);
// It ended, and not because it was asked to.
Observation ObserveStreamEnd(const absl::Status& status);
// Whether it is as it should be: follows the log, hears both sides, and is not too far behind.
bool IsWell(const StreamStatus& status, const NotifyConfig& config, absl::Time now);

}  // namespace hakobu
