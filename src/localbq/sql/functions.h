// BigQuery functions that DuckDB lacks or answers differently, as DuckDB scalar functions named bq_….
#pragma once

#include "absl/status/status.h"

typedef struct _duckdb_connection* duckdb_connection;

namespace hakobu::localbq::sql {

// Once per opened database (functions are not stored in it). Also sets what translated SQL relies on:
// TimeZone UTC. A connection's own settings: SET TimeZone='UTC' on each new connection.
absl::Status RegisterFunctions(duckdb_connection connection);

}  // namespace hakobu::localbq::sql
