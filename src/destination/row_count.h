// Whether a table has rows, asked of the rows: numRows lags by minutes and leaves out what was just streamed.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "destination/rest.h"
#include "destination/tables.h"

namespace hakobu {

// A condition that every row meets, in the form that a table with requirePartitionFilter accepts; empty when
// the table (a Table resource's JSON) asks for none.
std::string EveryRow(std::string_view table_json);

struct RowQuestion {
  TableName table;
  std::string project;  // who pays
  std::string location;
  std::string every_row = {};  // EveryRow(the table's resource)
};
absl::StatusOr<bool> HasRows(Rest& rest, const RowQuestion& question);

}  // namespace hakobu
