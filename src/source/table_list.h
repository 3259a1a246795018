// Which tables a database has, also while some of them are being altered.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "source/connection.h"

namespace hakobu {

using TablesByDatabase = std::map<std::string, std::vector<std::string>>;

// Base tables of each database by name, sorted; views and system tables are left out. A database that is not
// there has none.
//
// MariaDB lists the files of a folder, and a table has none between the two renames by which an ALTER that
// copies, a RENAME or an OPTIMIZE puts its new file in place: a moment on a good disk, more on a slow one. So
// where anybody else is at work on the server meanwhile, it is listed again and again for a second, and who
// was seen once but not at last is asked for by name, which waits for the ALTER. What a caller knows
// otherwise (from the ledger) he asks for by name in the same way (IsBaseTable).
absl::StatusOr<TablesByDatabase> ListTablesOf(Connection* connection,
                                              const std::vector<std::string>& databases);
absl::StatusOr<std::vector<std::string>> ListTables(Connection* connection, std::string_view database);

// Whether the database has a base table of exactly this name; waits for whoever alters it.
absl::StatusOr<bool> IsBaseTable(Connection* connection, std::string_view database, std::string_view table);

}  // namespace hakobu
