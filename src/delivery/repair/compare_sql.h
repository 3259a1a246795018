// GoogleSQL that compares a streamed table with the source's rows, which lie in a table beside it. BigQuery
// itself compares values of its own types, so that nothing is lost in translation. Pure.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "delivery/stream/lane_schema.h"
#include "destination/tables.h"

namespace hakobu {

// Columns that the table of rows has behind the delivered ones, and the tables of findings before the key.
inline constexpr std::string_view kChunkColumn = "_hakobu_chunk";  // INT64: the key range's number
inline constexpr std::string_view kRoundColumn = "_hakobu_round";  // INT64: which reading of it
inline constexpr std::string_view kFoundColumn = "_hakobu_found";  // STRING: "missing", "different", "extra"

struct CompareTables {
  TableName target;
  TableName rows;                               // of the source
  TableName found;                              // keys that differ; written
  absl::Time expires = absl::InfiniteFuture();  // of `found`, should nobody remove it
  std::string partition_column;                 // the target may only be read with a filter on it
};

// Fills `found` with the chunk (NULL for "extra"), what is wrong, and the key of every row that differs:
// between the target and the rows of `round`.
std::string CompareSql(const LaneSchema& schema, const CompareTables& tables, int64_t round);
// The same for the keys that were found in `before` alone.
std::string CompareAgainSql(const LaneSchema& schema, const CompareTables& tables, const TableName& before,
                            int64_t round);

// "missing", "different" and "extra" with their counts.
std::string CountSql(const TableName& found);
// Numbers of chunks in which rows are missing or different.
std::string ChunksSql(const TableName& found);
// At most `limit` keys, each column as text.
std::string FirstKeysSql(const LaneSchema& schema, const TableName& found, int limit);

// The rows that only the target has, for the encoder: one column for each of schema.work.schema.fields, in a
// form that ExtraRows reads. Without the key's columns, values are NULL unless `with_values`.
std::string ExtraSql(const LaneSchema& schema, const CompareTables& tables, bool with_values);

// The target's rows whose key is not in `tables.rows`, a table of keys alone; in ExtraSql's form. Rows that
// are marked deleted are not among them.
std::string UnseenSql(const LaneSchema& schema, const CompareTables& tables, bool with_values);
// History: rows of type "delete" at `place` for the same, of those whose newest row is not behind `place`.
// Said again it adds nothing.
std::string AppendUnseenSql(const LaneSchema& schema, const CompareTables& tables, std::string_view place);
// History: a row of type "truncate" at `place`, unless there is one.
std::string MarkEmptiedSql(const CompareTables& tables, std::string_view place);

// History: rows of type "repair" with what the source has now for keys that are missing or different, and of
// type "repair_delete" for those that it does not have. `place` orders them: behind what came before the
// reading of `round`, before what came after it.
std::string AppendRepairSql(const LaneSchema& schema, const CompareTables& tables, int64_t round,
                            std::string_view place);

}  // namespace hakobu
