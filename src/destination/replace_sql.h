// SQL that replaces or counts a table's rows and leaves all that hangs on it. Pure, but for CountRows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "destination/rest.h"
#include "destination/tables.h"

namespace hakobu {

// `name` in backticks, for GoogleSQL.
std::string QuoteColumn(std::string_view name);

// A condition that every row meets, in the form that a table with requirePartitionFilter accepts; empty when
// the table (a Table resource's JSON) asks for none. `alias` (may be empty) names the table in the query.
std::string EveryRow(std::string_view table_json, std::string_view alias = "");

// All of `columns` of `source`, for a query job with `target` as its destination. `every_row` is
// EveryRow(source's resource).
std::string SelectAllSql(const TableName& source, const std::vector<std::string>& columns,
                         std::string_view every_row = "");

// MERGE … ON FALSE: inserts every row of `source`, deletes every row `target` had, in one step. DML keeps row
// access policies, policy tags, IAM, key, layout and open streams; bills source and target. `every_row` is
// EveryRow(target's resource, "target"). Refused by BigQuery on tables with active CDC.
std::string ReplaceByMergeSql(const TableName& source, const TableName& target,
                              const std::vector<std::string>& columns, std::string_view every_row = "");

// How many rows a query sees now: unlike numRows, also those that were streamed a moment ago.
struct CountSpec {
  TableName table;
  std::string project;  // who pays
  std::string location;
  std::string every_row;  // EveryRow(the table's resource)
};
absl::StatusOr<uint64_t> CountRows(Rest& rest, const CountSpec& spec);
// Whether there is any row at all.
absl::StatusOr<bool> HasRows(Rest& rest, const CountSpec& spec);

}  // namespace hakobu
