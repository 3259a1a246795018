// What holds for one table of one tenant, and where each value stands. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config.h"

namespace hakobu {

struct ExplainedValue {
  std::string key;    // "destination.dataset", "where", "columns.email.mask"
  std::string value;  // as it is written; of secrets what is referred to
  std::string layer;  // "default", "destination", "defaults", "tier gold", "tenant acme", "tables[2]"
  std::string place;  // "hakobu.yaml:12"; empty for what is built in
  // Not the value itself that holds, but a part of it: one of several layers that are added up.
  bool is_added = false;
};

// Every key of the destination and of the table, the row filter first. `table`: "gym.members"; for a table of
// the tenant's own database its own name or "{tenant_database}.members". NotFound, with what is near, for a
// tenant or a table that the configuration does not know.
absl::StatusOr<std::vector<ExplainedValue>> ExplainTable(const Config& config, std::string_view tenant,
                                                         std::string_view table);

struct TenantDifference {
  std::string table;  // the entry's pattern; empty: the destination
  std::string key;
  std::string first;  // "" for none
  std::string second;
};

// What differs between two tenants, entry by entry of `tables`.
absl::StatusOr<std::vector<TenantDifference>> CompareTenants(const Config& config, std::string_view first,
                                                             std::string_view second);

}  // namespace hakobu
