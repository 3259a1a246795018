// DuckDB's types for a BigQuery schema, for chunks that are made without asking a table.
#pragma once

#include <duckdb.h>

#include <vector>

#include "localbq/catalog/schema.h"
#include "localbq/catalog/warehouse.h"

namespace hakobu::localbq {

// As catalog/schema.h's DuckDbType says. The caller destroys it.
duckdb_logical_type LogicalTypeOf(const Column& column);
// An empty chunk of the schema's columns, then one of each of `more`.
Chunk MakeChunk(const Schema& schema, const std::vector<duckdb_type>& more = {});

}  // namespace hakobu::localbq
