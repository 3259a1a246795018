// queryParameters[] of a query, as sql/ takes them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "absl/status/statusor.h"
#include "localbq/sql/sql.h"

namespace hakobu::localbq::rest {

absl::StatusOr<std::vector<sql::Parameter>> ReadParameters(const nlohmann::json& query);

}  // namespace hakobu::localbq::rest
