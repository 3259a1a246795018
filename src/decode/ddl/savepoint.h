// SAVEPOINT and ROLLBACK TO, as they stand within transactions of the log.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "decode/ddl/statement.h"

namespace hakobu::ddl {

struct SavepointStatement {
  bool rolls_back = false;  // what came since the savepoint is undone; else it is set
  std::string name;
};
// Nothing for every other statement. The servers log the first always, and the second where the rows since
// the savepoint are in the log and undone: MariaDB when a table without transactions was written meanwhile.
std::optional<SavepointStatement> ReadSavepoint(std::string_view statement, const DdlContext& context);

}  // namespace hakobu::ddl
