#include "config/tenants/section.h"

#include <algorithm>
#include <array>

#include "config/section_builder.h"
#include "config/table_section.h"
#include "config/tenants/tenant.h"

namespace hakobu {
namespace {

// Of the keys of tables those that may differ between tenants that share a table. The first four are added
// up.
constexpr std::array<std::string_view, 4> kAdded = {"where", "exclude", "columns", "labels"};
constexpr std::array<std::string_view, 6> kReplaced = {"include",     "types",   "invalid",
                                                       "description", "cluster", "keep_previous"};

bool IsOneOf(const auto& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Keys of TableOptions over a TableLayer.
Section LayerKeys() {
  Section keys;
  const auto added = [](void* layer) -> void* { return &static_cast<TableLayer*>(layer)->added; };
  for (Key& key : TableOptionsSection().keys) {
    const bool adds = IsOneOf(kAdded, key.name);
    if (!adds && !IsOneOf(kReplaced, key.name)) continue;
    if (key.open) {
      key.open = [added, inner = key.open](void* layer, const std::string& name) {
        return inner(added(layer), name);
      };
    }
    if (key.assign) {
      key.assign = [added, adds, name = key.name, inner = key.assign](void* layer, const KeyValue& value) {
        if (adds) return inner(added(layer), value);
        static_cast<TableLayer*>(layer)->values.push_back(
            {name, [inner, value](TableOptions* options) { inner(options, value); }});
      };
    }
    keys.keys.push_back(std::move(key));
  }
  return keys;
}

Section DestinationLayerSection() {
  using D = DestinationLayer;
  SectionBuilder<D> builder(
      "Keys that beat those of the tier, and of `destination`. `{tenant}` stands for the tenant's id.");
  builder.Text("project", &D::project, "Project that holds the dataset.").Example("acme-analytics");
  builder.Text("billing_project", &D::billing_project,
               "Project that pays for jobs; `project` when not given.");
  builder.Text("dataset", &D::dataset, "The dataset; no two tenants have the same.").Example("gym");
  builder.Text("staging_dataset", &D::staging_dataset,
               "Dataset for unfinished tables; `dataset` when not given.");
  builder.Text("location", &D::location, "Where the dataset lives.").Example("asia-northeast1");
  builder.Text("quota_project", &D::quota_project, "Project whose API quota is used.");
  builder.Text("kms_key", &D::kms_key, "Cloud KMS key for the tables that hakobu makes.");
  builder.Text("credentials_file", &D::credentials_file, "Key file, as `destination.credentials.file`.");
  builder.Text("impersonate", &D::impersonate, "E-mail of a service account to act as.")
      .Example("hakobu@acme-analytics.iam.gserviceaccount.com");
  return builder.Take();
}

Section TenantSection() {
  SectionBuilder<TenantConfig> builder("The tenants, beside those of `csv`.");
  builder.Text("id", &TenantConfig::id, "Its name: lower-case letters, digits, _ and -, at most 63.")
      .Required()
      .Example("acme");
  builder
      .Text("value", &TenantConfig::value,
            "What the tenant column holds in its rows, letter by letter; see docs/tenants.md.")
      .Example("7");
  builder.TextList("values", &TenantConfig::values, "The same, where there are several.").Example("[7, 12]");
  builder
      .Text("database", &TenantConfig::database,
            "A database of its own at the source; entries of `tables` name it as {tenant_database}.")
      .Example("gym_acme");
  builder.Text("tier", &TenantConfig::tier, "One of `tiers`.").Example("gold");
  builder.Nested("destination", &TenantConfig::destination, DestinationLayerSection());
  builder.Inline(&TenantConfig::tables, LayerKeys());
  return builder.Take();
}

}  // namespace

Section TierSection() {
  SectionBuilder<TierConfig> builder(
      "What several tenants have in common: stronger than `defaults`, weaker than the tenant and `tables`.");
  builder.Nested("destination", &TierConfig::destination, DestinationLayerSection());
  builder.Inline(&TierConfig::tables, LayerKeys());
  return builder.Take();
}

Section TenantsSection() {
  using T = TenantsConfig;
  SectionBuilder<T> builder(
      "Customers that share the source, each with a dataset of its own (docs/tenants.md). Not given: all is "
      "delivered to `destination`.");
  builder
      .Text("column", &T::column,
            "The column that tells whose a row of a shared table is; an entry of `tables` may name another.")
      .Example("company_id");
  builder
      .Text("csv", &T::csv,
            "A CSV file with one tenant a line, relative to this file; docs/tenants.md has its columns.")
      .Example("tenants.csv");
  builder.Boolean("create_datasets", &T::create_datasets,
                  "Whether a tenant's dataset is made where there is none; else the tenant is parked.");
  builder.Text(
      "spool", &T::spool,
      "Folder for the rows of a shared table between its scan and its delivery. Nothing stays there.");
  builder.Size("spool_bytes", &T::spool_bytes, 16 << 20, int64_t{16} << 40,
               "The most that lies there; a table that needs more fails.");
  builder.Integer("deliveries", &T::deliveries, 1, 64, "How many tenants are sent to at one time.");
  builder.NestedList(
      "list",
      [](T& tenants) {
        tenants.list.emplace_back();
        return &tenants.list.back();
      },
      TenantSection());
  return builder.Take();
}

}  // namespace hakobu
