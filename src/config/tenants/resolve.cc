#include "config/tenants/resolve.h"

#include <algorithm>

#include "config/condition.h"

namespace hakobu {
namespace {

void Replace(std::string* text, std::string_view from, std::string_view to) {
  for (size_t at = text->find(from); at != std::string::npos; at = text->find(from, at + to.size()))
    text->replace(at, from.size(), to);
}

void Overlay(const DestinationLayer& layer, DestinationConfig* destination) {
  const auto take = [](const std::optional<std::string>& from, std::string* to) {
    if (from.has_value()) *to = *from;
  };
  take(layer.project, &destination->project);
  take(layer.billing_project, &destination->billing_project);
  take(layer.dataset, &destination->dataset);
  take(layer.staging_dataset, &destination->staging_dataset);
  take(layer.location, &destination->location);
  take(layer.quota_project, &destination->quota_project);
  take(layer.kms_key, &destination->kms_key);
  take(layer.credentials_file, &destination->credentials.file);
  take(layer.impersonate, &destination->credentials.impersonate);
  if (layer.credentials_file.has_value()) destination->credentials.type = CredentialKind::kFile;
}

void Add(const TableLayer& layer, const TableRule& rule, TableOptions* options) {
  for (const TableLayer::Value& value : layer.values) {
    if (!rule.given.contains(value.key)) value.assign(options);
  }
  options->where = BothConditions(options->where, layer.added.where);
  for (const std::string& pattern : layer.added.exclude) {
    if (std::find(options->exclude.begin(), options->exclude.end(), pattern) == options->exclude.end())
      options->exclude.push_back(pattern);
  }
  for (const ColumnRule& column : layer.added.columns)
    options->columns.push_back({.pattern = column.pattern, .column = column.column, .inherited = true});
  for (const auto& [name, text] : layer.added.labels) {
    if (!rule.given.contains("labels." + name)) options->labels[name] = text;
  }
}

}  // namespace

const TenantConfig* FindTenant(const Config& config, std::string_view id) {
  if (!config.tenants.has_value()) return nullptr;
  const auto found = std::find_if(config.tenants->list.begin(), config.tenants->list.end(),
                                  [&](const TenantConfig& tenant) { return tenant.id == id; });
  return found == config.tenants->list.end() ? nullptr : &*found;
}

const TierConfig* TierOf(const Config& config, const TenantConfig& tenant) {
  const auto found = config.tiers.find(tenant.tier);
  return found == config.tiers.end() ? nullptr : &found->second;
}

bool IsOwn(const TableRule& rule) {
  return rule.pattern.starts_with(kTenantDatabase);
}

std::string_view TenantColumn(const Config& config, const TableRule& rule) {
  if (!rule.tenant_column.empty() || !config.tenants.has_value()) return rule.tenant_column;
  return config.tenants->column;
}

DestinationConfig DestinationOf(const Config& config, const TenantConfig& tenant) {
  DestinationConfig destination = config.destination;
  if (const TierConfig* tier = TierOf(config, tenant); tier != nullptr)
    Overlay(tier->destination, &destination);
  Overlay(tenant.destination, &destination);
  for (std::string* text : {&destination.project, &destination.billing_project, &destination.dataset,
                            &destination.staging_dataset, &destination.quota_project, &destination.kms_key,
                            &destination.credentials.file, &destination.credentials.impersonate}) {
    Replace(text, "{tenant}", tenant.id);
  }
  if (destination.billing_project.empty()) destination.billing_project = destination.project;
  if (destination.staging_dataset.empty()) destination.staging_dataset = destination.dataset;
  return destination;
}

TableOptions TenantOptions(const Config& config, const TenantConfig& tenant, const TableRule& rule,
                           TableOptions options) {
  if (const TierConfig* tier = TierOf(config, tenant); tier != nullptr) Add(tier->tables, rule, &options);
  Add(tenant.tables, rule, &options);
  return options;
}

Config OwnConfig(const Config& config, const TenantConfig& tenant) {
  Config own = config;
  own.destination = DestinationOf(config, tenant);
  own.tiers.clear();
  own.tenants.reset();
  own.tables.clear();
  if (tenant.database.empty()) return own;
  for (const TableRule& rule : config.tables) {
    if (!IsOwn(rule)) continue;
    TableRule& mine = own.tables.emplace_back(rule);
    Replace(&mine.pattern, kTenantDatabase, tenant.database);
    for (std::string& pattern : mine.except) Replace(&pattern, kTenantDatabase, tenant.database);
    mine.options = TenantOptions(config, tenant, rule, rule.options);
  }
  return own;
}

}  // namespace hakobu
