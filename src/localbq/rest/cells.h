// DuckDB's vectors as REST writes cells: {"f":[{"v":"1"},{"v":null},…]}.
#pragma once

#include <duckdb.h>

#include <string>

#include "localbq/catalog/schema.h"

namespace hakobu::localbq::rest {

enum class TimestampFormat : uint8_t { kFloatSeconds, kInt64Micros };

// Appends one row. `chunk`'s columns are stored as DuckDbType says for the schema's.
void AppendRow(const Schema& schema, duckdb_data_chunk chunk, idx_t row, TimestampFormat format,
               std::string* out);

}  // namespace hakobu::localbq::rest
