// A table's max_staleness: how old the answer of a query may be while changes wait to be merged. REST takes
// Table.maxStaleness and does not store it, and tables.get answers null even after DDL [flink-connector-gcp
// ADR 0112], so it is set by DDL and read from INFORMATION_SCHEMA.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "destination/rest.h"
#include "destination/tables.h"

namespace hakobu {

struct QueryPlace {
  std::string project;  // who pays
  std::string location;
};

// "0-0 0 0:10:0", as GoogleSQL writes an interval of whole seconds.
std::string IntervalText(absl::Duration duration);
// The same, also as INFORMATION_SCHEMA's option_value words it: INTERVAL "0-0 0 0:10:0" YEAR TO SECOND. A
// month is taken for 30 days. InvalidArgument for anything else.
absl::StatusOr<absl::Duration> ParseInterval(std::string_view text);

// Zero: off, whether it was never set or set to NULL.
absl::StatusOr<absl::Duration> ReadMaxStaleness(Rest& rest, const QueryPlace& place, const TableName& table);
// Sets it, and makes sure that it is what the table has. Zero takes it away.
absl::Status SetMaxStaleness(Rest& rest, const QueryPlace& place, const TableName& table,
                             absl::Duration staleness);

}  // namespace hakobu
