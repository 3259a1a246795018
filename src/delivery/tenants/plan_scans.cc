#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/status.h"
#include "config/tenants/resolve.h"
#include "delivery/tenants/shared_table.h"
#include "row/name_fold.h"

namespace hakobu {
namespace {

// What the tenants of one scan have in common.
struct Group {
  std::set<size_t> columns;  // that any of them gets
  std::vector<bool> served;
};

// Tenants that say nothing of tables themselves are as their tier says.
std::string ProfileOf(const TenantConfig& tenant) {
  const TableLayer& own = tenant.tables;
  const bool plain =
      own.values.empty() && own.added.where.empty() && own.added.exclude.empty() && own.added.columns.empty();
  return plain ? "tier " + tenant.tier : "tenant " + tenant.id;
}

struct Profile {
  std::string where;
  std::vector<size_t> columns;
};

absl::StatusOr<Profile> MakeProfile(const Config& config, const TenantConfig& tenant, const TableRule& rule,
                                    const TableWork& work, const TableOptions& options) {
  TableWork mapped;
  mapped.name = work.name;
  mapped.source = work.source;
  mapped.options = TenantOptions(config, tenant, rule, options);
  HAKOBU_RETURN_IF_ERROR(MapTable(config, &mapped));
  return Profile{mapped.options.where, mapped.columns};
}

// The check of the file says it first; the server's list of tables has the last word.
absl::Status CheckNobodysOwn(const TenantsConfig& tenants, const TableWork& work) {
  for (const TenantConfig& tenant : tenants.list) {
    if (tenant.database.empty() || LowerName(tenant.database) != LowerName(work.source.database)) continue;
    return WithHint(absl::FailedPreconditionError(fmt::format(
                        "{} lies in the database of tenant {}: it is nobody else's", work.name, tenant.id)),
                    "its tables are delivered by an entry for {tenant_database}");
  }
  return absl::OkStatus();
}

absl::StatusOr<TenantKeys> AllKeys(const TenantsConfig& tenants) {
  TenantKeys keys;
  for (size_t i = 0; i < tenants.list.size(); ++i) {
    for (const std::string& value : tenants.list[i].values)
      HAKOBU_RETURN_IF_ERROR(keys.Add(value, static_cast<uint32_t>(i)));
  }
  return keys;
}

}  // namespace

absl::StatusOr<std::vector<std::unique_ptr<SharedTable>>> PlanScans(const Config& config,
                                                                    const TableWork& work,
                                                                    const std::vector<bool>& chosen,
                                                                    std::map<size_t, absl::Status>* refused) {
  HAKOBU_RETURN_IF_ERROR(CheckNobodysOwn(*config.tenants, work));
  const TableRule* rule = FindRule(config, work.source.database, work.source.name);
  if (rule == nullptr) return absl::InternalError(work.name + ": no entry of `tables` means it");
  const TableOptions options = OptionsFor(config, *rule, work.source.database, work.source.name);
  HAKOBU_ASSIGN_OR_RETURN(const size_t key, FindTenantColumn(work.source, TenantColumn(config, *rule)));
  const std::vector<TenantConfig>& list = config.tenants->list;
  std::map<std::string, absl::StatusOr<Profile>> profiles;
  std::map<std::string, Group> groups;  // by condition
  for (size_t i = 0; i < list.size(); ++i) {
    if (!chosen[i] || list[i].values.empty()) continue;
    const std::string name = ProfileOf(list[i]);
    if (!profiles.contains(name)) profiles.emplace(name, MakeProfile(config, list[i], *rule, work, options));
    const absl::StatusOr<Profile>& profile = profiles.at(name);
    if (!profile.ok()) {
      refused->emplace(i, profile.status());
      continue;
    }
    Group& group = groups[profile->where];
    group.served.resize(list.size());
    group.served[i] = true;
    group.columns.insert(profile->columns.begin(), profile->columns.end());
  }
  std::vector<std::unique_ptr<SharedTable>> scans;
  for (auto& [where, group] : groups) {
    auto scan = std::make_unique<SharedTable>();
    scan->work.source = work.source;
    scan->work.name = scans.empty() ? work.name : fmt::format("{} (filter {})", work.name, scans.size() + 1);
    scan->work.options = options;
    scan->work.options.where = where;
    scan->work.where = where;
    scan->work.columns = {key};
    for (const size_t column : group.columns) {
      if (column != key) scan->work.columns.push_back(column);
    }
    scan->work.target = {config.destination.project, config.destination.dataset,
                         TargetName(options, work.source.database, work.source.name)};
    scan->rule = rule;
    scan->options = options;
    HAKOBU_ASSIGN_OR_RETURN(scan->keys, AllKeys(*config.tenants));
    scan->report.source = scan->work.name;
    scan->report.column = work.source.columns[key].name;
    scan->report.tenants = static_cast<uint64_t>(std::count(group.served.begin(), group.served.end(), true));
    scan->served = std::move(group.served);
    scan->pieces.resize(list.size());
    scans.push_back(std::move(scan));
  }
  return scans;
}

}  // namespace hakobu
