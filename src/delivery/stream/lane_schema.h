// How one table of the stream is delivered at one place of the log: never changed, so that the log's thread
// and the first copy's may share it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "config/config.h"
#include "delivery/table_work.h"
#include "encode/encode.h"
#include "row/batch.h"
#include "row/source_table.h"

namespace hakobu {

enum class LaneMode : uint8_t {
  kUpsert,   // one row a key, deletes delete
  kSoft,     // one row a key, deleted ones stay with `_hakobu_deleted`
  kHistory,  // a row for each change
};
std::string_view LaneModeName(LaneMode mode);  // "upsert", "soft", "history", as in the ledger

// What a row of a history says of its change, and `_hakobu_deleted` of a soft one.
struct RowFacts {
  std::string_view type;      // "snapshot", "insert", "update", "delete", "truncate"
  std::string_view place;     // SortableSequence
  int64_t commit_micros = 0;  // since the epoch; 0: not known, and NULL
  std::string_view gtid;      // empty: NULL
  bool deleted = false;
};

struct LaneSchema {
  SourceTable base;  // the table at the source
  // Its source and schema have the mode's own columns behind the table's: _hakobu_deleted, or _hakobu_type,
  // _hakobu_place, _hakobu_time and _hakobu_gtid. `columns` are places in `base`.
  TableWork work;
  LaneMode mode = LaneMode::kUpsert;

  size_t columns() const { return work.source.columns.size(); }
  bool changes_by_key() const { return mode != LaneMode::kHistory; }
  absl::StatusOr<ProtoEncoder> MakeEncoder() const;
  // Fills the mode's own cells. The texts must live as long as the row.
  void FillOwnCells(std::span<Cell> row, const RowFacts& facts) const;
};

// InvalidArgument when the table cannot be delivered so: no key, more than 16 key columns, a name taken.
absl::StatusOr<LaneSchema> MakeLaneSchema(const Config& config, const TableOptions& options,
                                          SourceTable table);

// The Table resource for BigQuery, with its key; max_staleness is set by DDL (destination/staleness.h).
std::string LaneTableResource(const LaneSchema& schema);

}  // namespace hakobu
