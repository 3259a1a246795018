// The `fields` parameter of Google's APIs: an answer with only what was asked for.
// Source: https://cloud.google.com/bigquery/docs/api-performance#partial-response
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "absl/status/statusor.h"

namespace hakobu::localbq::rest {

// "kind,datasets(id,labels/team)": members and lists of members of `whole`, through lists. InvalidArgument
// for what is no such selection.
absl::StatusOr<nlohmann::json> PartOf(const nlohmann::json& whole, std::string_view fields);

}  // namespace hakobu::localbq::rest
