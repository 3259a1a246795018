// Tables as information_schema describes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "row/column_type.h"  // IWYU pragma: export
#include "row/source_table.h"
#include "row/table_definition.h"
#include "source/connection.h"
#include "source/table_list.h"  // IWYU pragma: export

namespace hakobu {

// The database's name as the server writes it, in its lists and in its log: with lower_case_table_names=1 it
// has none but lower case, and answers to every spelling. The name itself where the server knows no such
// database.
absl::StatusOr<std::string> DatabaseSpelling(Connection* connection, std::string_view database);

// Every table of `names` (all base tables when empty) in a handful of queries, in the order of `names`, each
// as it was at one moment, also while it is altered. NotFound names all that are missing; Unimplemented names
// columns of types hakobu does not know; Unavailable those that change faster than they can be read.
absl::StatusOr<std::vector<SourceTable>> ReadTables(Connection* connection, std::string_view database,
                                                    const std::vector<std::string>& names = {});
absl::StatusOr<SourceTable> ReadTable(Connection* connection, std::string_view database,
                                      std::string_view name);

// The same with all that later DDL depends on, for a history that begins here.
absl::StatusOr<std::vector<TableDefinition>> ReadTableDefinitions(Connection* connection,
                                                                  std::string_view database,
                                                                  const std::vector<std::string>& names = {});
// Of every database the user can see.
absl::StatusOr<std::vector<DatabaseDefault>> ReadDatabaseDefaults(Connection* connection);

}  // namespace hakobu
