// Tables as information_schema describes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "row/source_table.h"
#include "source/connection.h"

namespace hakobu {

// Base tables of a database by name, sorted; views and system tables are left out.
absl::StatusOr<std::vector<std::string>> ListTables(Connection* connection, std::string_view database);

// Every table of `names` (all base tables when empty) in a handful of queries, in the order of `names`.
// NotFound names all that are missing; Unimplemented names columns of types hakobu does not know.
absl::StatusOr<std::vector<SourceTable>> ReadTables(Connection* connection, std::string_view database,
                                                    const std::vector<std::string>& names = {});
absl::StatusOr<SourceTable> ReadTable(Connection* connection, std::string_view database,
                                      std::string_view name);

// "enum('a','it''s')" -> {a, it's}; empty when `declared` is no ENUM or SET.
std::vector<std::string> ParseLabels(std::string_view declared);

}  // namespace hakobu
