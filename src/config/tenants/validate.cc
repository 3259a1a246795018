#include "config/tenants/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "absl/strings/ascii.h"
#include "base/escape.h"
#include "base/glob.h"
#include "config/tenants/resolve.h"
#include "config/validate.h"
#include "config/value.h"
#include "row/name_fold.h"

namespace hakobu {
namespace {

constexpr char kOnlyWithTenants[] = "it together with `tenants`";

bool IsTenantId(std::string_view id) {
  const auto allowed = [](unsigned char c) {
    return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_' || c == '-';
  };
  return !id.empty() && id.size() <= 63 && std::all_of(id.begin(), id.end(), allowed) && id.front() != '-';
}

// What people take for the same value: without blanks around it, in lower case.
std::string LooseValue(const std::string& value) {
  return LowerName(std::string(absl::StripAsciiWhitespace(value)));
}

class TenantsValidator {
 public:
  TenantsValidator(const Config& config, ConfigProblems* problems)
      : config_(config), tenants_(*config.tenants), problems_(problems) {}

  void Validate() {
    if (tenants_.list.empty() && tenants_.csv.empty())
      problems_->Add("tenants", "tenants in `list` or in a `csv`", "none");
    for (const auto& [name, tier] : config_.tiers) CheckTier(name, tier);
    for (const TenantConfig& tenant : tenants_.list) CheckTenant(tenant);
    CheckTables();
  }

 private:
  std::string KeyOf(const TenantConfig& tenant, std::string_view key) const {
    return fmt::format("{}.{}", tenant.path, key);
  }

  void CheckTier(const std::string& name, const TierConfig& tier) {
    const std::string path = "tiers." + name;
    CheckLayer(tier.tables, path);
    const bool used = std::any_of(tenants_.list.begin(), tenants_.list.end(),
                                  [&](const TenantConfig& tenant) { return tenant.tier == name; });
    if (!used) problems_->Add(path, "a tier that some tenant is in", "none that names it", "take it away");
  }

  void CheckLayer(const TableLayer& layer, const std::string& path) {
    CheckWhere(layer.added.where, path + ".where", problems_);
    CheckLabels(layer.added, path, problems_);
    // A mask's salt may come from `defaults`.
    TableOptions options = layer.added;
    for (ColumnRule column : config_.defaults.columns) {
      column.inherited = true;
      options.columns.push_back(std::move(column));
    }
    ValidateColumns(options, path, problems_);
  }

  void CheckTenant(const TenantConfig& tenant) {
    CheckId(tenant);
    CheckTierName(tenant);
    CheckSource(tenant);
    CheckLayer(tenant.tables, tenant.path);
    CheckDestination(tenant);
  }

  void CheckId(const TenantConfig& tenant) {
    if (tenant.id.empty()) {
      if (!tenant.path.starts_with("tenants.csv")) return;  // the reader has said so
      return problems_->Add(KeyOf(tenant, "id"), "the tenant's id", "nothing");
    }
    if (!IsTenantId(tenant.id)) {
      problems_->Add(KeyOf(tenant, "id"), "lower-case letters, digits, _ and -, at most 63",
                     fmt::format("\"{}\"", EscapeControl(tenant.id)));
    }
    Once(&ids_, tenant.id, tenant, "id", "each id once");
  }

  // Says that `value` is another tenant's already, when it is.
  void Once(std::map<std::string, const TenantConfig*>* seen, const std::string& value,
            const TenantConfig& tenant, std::string_view key, std::string_view expected) {
    const auto [other, is_new] = seen->emplace(value, &tenant);
    if (is_new) return;
    const Place& place = other->second->place;
    problems_->Add(KeyOf(tenant, key), std::string(expected),
                   fmt::format("\"{}\" on line {}{} already", EscapeControl(value), place.line,
                               place.file == tenant.place.file
                                   ? ""
                                   : fmt::format(" of {}", place.file.empty() ? config_.path : place.file)));
  }

  void CheckTierName(const TenantConfig& tenant) {
    if (tenant.tier.empty() || config_.tiers.contains(tenant.tier)) return;
    std::vector<std::string> names;
    for (const auto& [name, tier] : config_.tiers) names.push_back(name);
    problems_->Add(KeyOf(tenant, "tier"), "one of `tiers`", fmt::format("\"{}\"", EscapeControl(tenant.tier)),
                   DidYouMean(tenant.tier, names));
  }

  void CheckSource(const TenantConfig& tenant) {
    if (!tenant.value.empty() && problems_->Has(KeyOf(tenant, "values"))) {
      problems_->Add(KeyOf(tenant, "values"), "either `value` or `values`", "both");
    }
    if (tenant.values.empty() == tenant.database.empty()) {
      const bool none = tenant.values.empty();
      problems_->Add(none ? tenant.path : KeyOf(tenant, "database"),
                     "either a `value` of the tenant column or a `database`", none ? "neither" : "both",
                     none ? "" : "two tenants may deliver to two datasets of one customer");
    }
    const std::string key = KeyOf(tenant, problems_->Has(KeyOf(tenant, "values")) ? "values" : "value");
    for (const std::string& value : tenant.values) CheckValue(tenant, value, key);
    if (tenant.database.empty()) return;
    if (IsGlob(tenant.database) || tenant.database.find('.') != std::string::npos) {
      problems_->Add(KeyOf(tenant, "database"), "the name of one database",
                     fmt::format("\"{}\"", EscapeControl(tenant.database)));
    }
    if (IsServersDatabase(LowerName(tenant.database)))
      problems_->Add(KeyOf(tenant, "database"), "a database of a customer's",
                     fmt::format("\"{}\", the server's own", tenant.database));
    Once(&databases_, LowerName(tenant.database), tenant, "database", "each database once");
  }

  void CheckValue(const TenantConfig& tenant, const std::string& value, const std::string& key) {
    if (value.empty()) return problems_->Add(key, "values that are not empty", "an empty one");
    if (value != std::string(absl::StripAsciiWhitespace(value)) || HasControl(value)) {
      return problems_->Add(key, "a value without blanks around it and without control characters",
                            fmt::format("\"{}\"", EscapeControl(value)),
                            "rows with such values belong to no tenant: they are counted and named");
    }
    const auto [other, is_new] = values_.emplace(LooseValue(value), &tenant);
    if (is_new) return;
    problems_->Add(key, "each value once, whatever its case",
                   fmt::format("\"{}\", a value of tenant {} already", value, other->second->id),
                   "rows of one value go to one tenant");
  }

  void CheckDestination(const TenantConfig& tenant) {
    const DestinationConfig destination = DestinationOf(config_, tenant);
    const auto key = [&](std::string_view name) { return DestinationKey(tenant, name); };
    CheckPlaceholders(tenant, destination);
    for (const auto& [name, project] : {std::pair("project", &destination.project),
                                        std::pair("billing_project", &destination.billing_project),
                                        std::pair("quota_project", &destination.quota_project)}) {
      const bool stands_for_it = project != &destination.project && *project == destination.project;
      if (!stands_for_it && !IsProjectName(*project)) {
        problems_->Add(key(name), "a project id of lower-case letters, digits and -",
                       fmt::format("\"{}\", of tenant {}", EscapeControl(*project), tenant.id));
      }
    }
    for (const auto& [name, dataset] : {std::pair("dataset", &destination.dataset),
                                        std::pair("staging_dataset", &destination.staging_dataset)}) {
      const bool stands_for_it = dataset != &destination.dataset && *dataset == destination.dataset;
      if (!stands_for_it && !IsDatasetName(*dataset)) {
        problems_->Add(
            key(name), "a dataset name of letters, digits and _",
            fmt::format("\"{}\", of tenant {}", EscapeControl(*dataset), tenant.id),
            dataset->find('-') == std::string::npos ? "" : "datasets have no -: give it a `dataset`");
      }
    }
    if (!destination.kms_key.empty() && !IsKmsKeyName(destination.kms_key)) {
      problems_->Add(key("kms_key"), "projects/P/locations/L/keyRings/R/cryptoKeys/K",
                     fmt::format("\"{}\"", EscapeControl(destination.kms_key)));
    }
    const std::string& account = destination.credentials.impersonate;
    if (!account.empty() && account.find('@') == std::string::npos) {
      problems_->Add(key("impersonate"), "an e-mail address of a service account",
                     fmt::format("\"{}\"", EscapeControl(account)));
    }
    if (destination.endpoint == EndpointKind::kLocal && tenant.destination.credentials_file.has_value()) {
      problems_->Add(key("credentials_file"), "no credentials with endpoint: local, which asks for none",
                     "a file");
    }
    CheckDatasetOnce(tenant, destination, "dataset", destination.dataset);
    // What one run has left there is removed by the next one of its tenant.
    if (destination.staging_dataset != destination.dataset)
      CheckDatasetOnce(tenant, destination, "staging_dataset", destination.staging_dataset);
  }

  // Rows of two tenants in one dataset would be one table's.
  void CheckDatasetOnce(const TenantConfig& tenant, const DestinationConfig& destination,
                        std::string_view key, const std::string& dataset) {
    const std::string name = fmt::format("{}.{}", destination.project, LowerName(dataset));
    const auto [other, is_new] = datasets_.emplace(name, &tenant);
    if (!is_new) {
      problems_->Add(
          DestinationKey(tenant, key), "a dataset of its own for each tenant",
          fmt::format("\"{}.{}\" of {} for {} too", destination.project, dataset, other->second->id,
                      tenant.id),
          fmt::format("for example {}: \"{}_{{tenant}}\"", key, key == "dataset" ? "gym" : "staging"));
    }
  }

  // Where the key stands that holds for the tenant.
  std::string DestinationKey(const TenantConfig& tenant, std::string_view name) const {
    const std::string own = fmt::format("{}.destination.{}", tenant.path, name);
    if (problems_->Has(own)) return own;
    const std::string tier = fmt::format("tiers.{}.destination.{}", tenant.tier, name);
    if (!tenant.tier.empty() && problems_->Has(tier)) return tier;
    const std::string general = fmt::format("destination.{}", name);
    return problems_->Has(general) ? general : "destination.dataset";
  }

  void CheckPlaceholders(const TenantConfig& tenant, const DestinationConfig& destination) {
    for (const auto& [name, text] :
         {std::pair("project", &destination.project), std::pair("dataset", &destination.dataset)}) {
      const size_t open = text->find('{');
      if (open == std::string::npos) continue;
      problems_->Add(DestinationKey(tenant, name), "{tenant} as the only name in braces",
                     fmt::format("\"{}\"", EscapeControl(*text)));
    }
  }

  void CheckTables() {
    bool own = false;
    bool shared = false;
    for (size_t i = 0; i < config_.tables.size(); ++i) {
      const TableRule& rule = config_.tables[i];
      const std::string path = fmt::format("tables[{}]", i);
      (IsOwn(rule) ? own : shared) = true;
      CheckRule(rule, path);
    }
    const auto any = [&](auto member) {
      return std::any_of(tenants_.list.begin(), tenants_.list.end(), member);
    };
    if (own && !any([](const TenantConfig& tenant) { return !tenant.database.empty(); }))
      problems_->Add("tables", "a tenant with a `database`, since an entry names {tenant_database}", "none");
    for (const TenantConfig& tenant : tenants_.list) {
      if (!tenant.database.empty() && !own) {
        problems_->Add(KeyOf(tenant, "database"), "an entry of `tables` that names {tenant_database}", "none",
                       "for example table: \"{tenant_database}.*\"");
      }
      if (!tenant.values.empty() && !shared) {
        problems_->Add(tenant.path, "an entry of `tables` for shared tables, since the tenant has a value",
                       "none");
      }
    }
  }

  void CheckRule(const TableRule& rule, const std::string& path) {
    if (IsOwn(rule)) {
      if (!rule.tenant_column.empty())
        problems_->Add(path + ".tenant_column", "it with shared tables only",
                       "a table of tenants' own databases");
      if (rule.options.mode == TableMode::kStream)
        problems_->Add(ModeKey(path), "replace, append or incremental with tenants", "stream");
      return;
    }
    if (rule.pattern.find("{tenant") != std::string::npos) {
      problems_->Add(path + ".table", "{tenant_database} as the whole name of the database",
                     fmt::format("\"{}\"", rule.pattern));
    }
    CheckNobodysOwn(rule, path);
    if (TenantColumn(config_, rule).empty()) {
      problems_->Add(path, "`tenant_column`, or `column` of `tenants`", "neither",
                     "without it nobody knows whose a row is");
    }
    if (rule.options.mode != TableMode::kReplace) {
      problems_->Add(ModeKey(path), "replace for a table that tenants share", "another mode",
                     "append and incremental are there for tables of tenants' own databases");
    }
  }

  // What lies in a tenant's own database is that tenant's alone, whatever stands in its rows.
  void CheckNobodysOwn(const TableRule& rule, const std::string& path) {
    const size_t dot = rule.pattern.find('.');
    if (dot == std::string::npos) return;
    const std::string database = rule.pattern.substr(0, dot);
    for (const TenantConfig& tenant : tenants_.list) {
      if (tenant.database.empty() || !GlobMatches(LowerName(database), LowerName(tenant.database))) continue;
      problems_->Add(path + ".table", "a shared table outside of tenants' own databases",
                     fmt::format("\"{}\", and {} is the database of tenant {}", rule.pattern, tenant.database,
                                 tenant.id),
                     "its tables are delivered by an entry for {tenant_database}");
    }
  }

  std::string ModeKey(const std::string& path) const {
    return problems_->Has(path + ".mode") || !problems_->Has("defaults.mode") ? path + ".mode"
                                                                              : "defaults.mode";
  }

  const Config& config_;
  const TenantsConfig& tenants_;
  ConfigProblems* problems_;
  std::map<std::string, const TenantConfig*> ids_;
  std::map<std::string, const TenantConfig*> values_;
  std::map<std::string, const TenantConfig*> databases_;
  std::map<std::string, const TenantConfig*> datasets_;
};

}  // namespace

void ValidateTenants(const Config& config, ConfigProblems* problems) {
  if (config.tenants.has_value()) return TenantsValidator(config, problems).Validate();
  for (const auto& [name, tier] : config.tiers) problems->Add("tiers." + name, kOnlyWithTenants, "it alone");
  for (size_t i = 0; i < config.tables.size(); ++i) {
    const TableRule& rule = config.tables[i];
    const std::string path = fmt::format("tables[{}]", i);
    if (!rule.tenant_column.empty()) problems->Add(path + ".tenant_column", kOnlyWithTenants, "it alone");
    if (IsOwn(rule))
      problems->Add(path + ".table", kOnlyWithTenants, fmt::format("\"{}\" alone", rule.pattern));
  }
}

}  // namespace hakobu
