// What DuckDB must do when a table's columns change.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "localbq/catalog/names.h"
#include "localbq/catalog/schema.h"

namespace hakobu::localbq {

using Renames = std::vector<std::pair<std::string, std::string>>;  // {old, new}

// CREATE TABLE with NOT NULL where REQUIRED. `quoted_name` as DuckDbName gives it.
std::string CreateTableSql(const std::string& quoted_name, const Schema& schema);

// New columns go to the end, whatever place the caller gave them: rows are stored in the schema's order.
Schema WithNewColumnsLast(const Schema& before, Schema after, const Renames& renames);

// The statements that turn a DuckDB table of `before` into one of `after`; none when nothing changes.
// InvalidArgument for a type that cannot become the other.
absl::StatusOr<std::vector<std::string>> AlterSql(const TableId& id, const Schema& before,
                                                  const Schema& after, const Renames& renames);

// DuckDB's expression for the values of a column stored as `from`, as they are stored for `to`, which holds
// every one of them: InvalidArgument otherwise.
absl::StatusOr<std::string> ConvertedColumn(const Column& from, const Column& to);

}  // namespace hakobu::localbq
