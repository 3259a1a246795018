// What a request asks for that the local BigQuery would otherwise ignore: refused by name.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "absl/status/status.h"

namespace hakobu::localbq::rest {

// Of a dataset's or table's resource.
absl::Status RefuseUnsupported(const nlohmann::json& resource);
// Of a job's configuration.load.
absl::Status RefuseUnsupportedLoad(const nlohmann::json& load);

}  // namespace hakobu::localbq::rest
