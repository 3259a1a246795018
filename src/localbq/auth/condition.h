// IAM conditions: the part of CEL that access to BigQuery is written with. Pure.
// Source: https://docs.cloud.google.com/iam/docs/conditions-attribute-reference
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace hakobu::localbq::auth {

struct ConditionFacts {
  absl::Time now;             // request.time
  std::string resource_name;  // "projects/p/datasets/d/tables/t"
  std::string resource_type;  // "bigquery.googleapis.com/Table"
};

// Whether the condition holds. nullopt for an expression outside of what is understood: comparisons of
// request.time with timestamp("…"), of resource.name, resource.type and resource.service with texts,
// startsWith and endsWith of these, true, false, !, &&, || and parentheses.
std::optional<bool> ConditionHolds(std::string_view expression, const ConditionFacts& facts);

}  // namespace hakobu::localbq::auth
