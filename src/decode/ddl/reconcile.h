// A table map of the log held against the table as the history knows it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "decode/binlog/table_map.h"
#include "decode/ddl/statement.h"
#include "row/table_definition.h"

namespace hakobu::ddl {

struct Reconciled {
  // What to decode by: one column per column of the map, in its order.
  SourceTable table;
  // The last so many columns are the server's own (MariaDB's DB_ROW_HASH_1 of a unique key over texts, and
  // row_start and row_end of a versioned table): they lie in the log, no SELECT shows them, and they are not
  // to be delivered.
  size_t hidden_columns = 0;
  // Where the log's own metadata says something else than `known`: the log was believed. One phrase each:
  // "column 3: name is total, the history has sum".
  std::vector<std::string> differences;
  // The place of the column that ends a row's time: its rows are to be decoded with
  // RowImageDecoder::LeaveOutHistory.
  std::optional<size_t> row_end;
  bool from_log_alone = false;  // `known` was null
};

// With names in the map (binlog_row_metadata=FULL) the map alone is enough, and is believed where it differs.
// Without them `known` must fit: FailedPrecondition, with everything that disagrees (number of columns, then
// each column's type, sign, length), so that this table alone can be stopped; or NotFound when `known` is
// null.
absl::StatusOr<Reconciled> Reconcile(const binlog::TableMap& map, const TableDefinition* known,
                                     Dialect dialect);

}  // namespace hakobu::ddl
