// What holds for one tenant: `defaults`, its tier, itself and the entry of `tables`, put together. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace hakobu {

// The name that stands for a tenant's own database in `table:`.
inline constexpr std::string_view kTenantDatabase = "{tenant_database}";

const TenantConfig* FindTenant(const Config& config, std::string_view id);
// Null when it has none.
const TierConfig* TierOf(const Config& config, const TenantConfig& tenant);

// Whether the entry means tables of tenants' own databases; else they are shared.
bool IsOwn(const TableRule& rule);
// The column that tells whose a row of the shared table is.
std::string_view TenantColumn(const Config& config, const TableRule& rule);

// Key by key: the tenant's, else its tier's, else that of `destination`; complete as after LoadConfig.
DestinationConfig DestinationOf(const Config& config, const TenantConfig& tenant);

// `options`: what OptionsFor says of a table that `rule` rules. Adds the tier's and the tenant's conditions,
// exclusions, columns and labels, and sets what the entry itself does not.
TableOptions TenantOptions(const Config& config, const TenantConfig& tenant, const TableRule& rule,
                           TableOptions options);

// The configuration of one tenant alone, with the entries for tables of its own database: what a run of it by
// itself obeys. No entries: it has no database of its own.
Config OwnConfig(const Config& config, const TenantConfig& tenant);

}  // namespace hakobu
