// Row access policies as DuckDB conditions.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "localbq/auth/authority.h"

namespace hakobu::localbq::auth {

// What of the table the member sees, as a condition over its columns; empty: everything.
absl::StatusOr<std::string> RowCondition(const Authority& authority, std::string_view member,
                                         const Table& table);

}  // namespace hakobu::localbq::auth
