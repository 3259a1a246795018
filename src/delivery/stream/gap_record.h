// An interruption of the log as the ledger keeps it. Pure.
#pragma once

#include <string>
#include <vector>

#include "delivery/stream/continuity.h"
#include "ledger/stream_log.h"

namespace hakobu {

StoredPosition StoredPositionOf(const StreamPosition& position);

// `tables`: "shop.members", all that were being delivered; each is possibly concerned until somebody knows
// better. detail_json:
// {"missing_gtids","phantom_gtids","from_position","until_position","explanation","hint","epoch_before",
// "epoch_after"}.
StreamGapRecord GapRecordOf(const Continuity& judgement, const StreamPosition& stored,
                            const std::vector<std::string>& tables, absl::Time now);

// Whether both tell of the same interruption: it was recorded, but the place behind it was not stored.
bool SameGap(const StreamGapRecord& a, const StreamGapRecord& b);

}  // namespace hakobu
