// An interruption of the log as the ledger keeps it. Pure.
#pragma once

#include <string>
#include <vector>

#include "delivery/stream/continuity.h"
#include "ledger/stream_book.h"

namespace hakobu {

// `tables`: the ledger's, as they are when the gap is found. detail_json:
// {"missing_gtids","phantom_gtids","from_position","until_position","explanation","hint","epoch_before",
// "epoch_after","server_before","other_server"}; tables_json: GapTablesJson (gap.h).
StreamGapRecord GapRecordOf(const Continuity& judgement, const DeliveredPoint& stored,
                            const std::vector<StreamTableRecord>& tables, absl::Time now);

// Whether both tell of the same interruption: it was recorded, but the place behind it was not stored.
bool SameGap(const StreamGapRecord& a, const StreamGapRecord& b);

}  // namespace hakobu
