#include "config/tenants/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/status.h"
#include "config/keys.h"
#include "config/table_section.h"
#include "config/tenants/resolve.h"
#include "config/value.h"

namespace hakobu {
namespace {

struct Layer {
  std::string name;
  std::string path;  // of its keys, with the dot
};

bool IsAddedUp(std::string_view key) {
  return key == "where" || key == "exclude" || key.starts_with("columns.") || key.starts_with("labels.");
}

absl::Status UnknownTenant(const Config& config, std::string_view id) {
  std::vector<std::string> ids;
  if (config.tenants.has_value()) {
    for (const TenantConfig& tenant : config.tenants->list) ids.push_back(tenant.id);
  }
  return WithHint(absl::NotFoundError(fmt::format("there is no tenant \"{}\"", id)), DidYouMean(id, ids));
}

class Explainer {
 public:
  Explainer(const Config& config, const TenantConfig& tenant) : config_(config), tenant_(tenant) {}

  std::vector<ExplainedValue> Explain(const TableRule* rule) {
    if (rule != nullptr) RowFilter(*rule);
    ExplainDestination();
    if (rule != nullptr) ExplainOptions(*rule);
    return std::move(values_);
  }

 private:
  std::string PlaceText(const Place& place) const {
    return fmt::format("{}:{}", place.file.empty() ? config_.path : place.file, place.line);
  }
  const WrittenKey* Find(const std::string& key) const {
    const auto found = config_.written->find(key);
    return found == config_.written->end() ? nullptr : &found->second;
  }

  void RowFilter(const TableRule& rule) {
    const std::string place = PlaceText(tenant_.place);
    if (IsOwn(rule)) {
      values_.push_back({"database", tenant_.database, "tenant " + tenant_.id, place});
      return;
    }
    values_.push_back(
        {"row filter",
         fmt::format("{} is {}", TenantColumn(config_, rule), fmt::join(tenant_.values, " or ")),
         "tenant " + tenant_.id, place});
  }

  std::vector<Layer> TenantLayers(const std::string& part) const {
    std::vector<Layer> layers = {{"tenant " + tenant_.id, tenant_.path + part}};
    if (!tenant_.tier.empty())
      layers.push_back({"tier " + tenant_.tier, fmt::format("tiers.{}{}", tenant_.tier, part)});
    return layers;
  }

  // `layers`: strongest first.
  void Strongest(const std::string& key, const std::vector<Layer>& layers, const std::string& built_in,
                 const std::string& shown) {
    for (const Layer& layer : layers) {
      const WrittenKey* found = Find(layer.path + key);
      if (found == nullptr) continue;
      values_.push_back({shown, found->text, layer.name, PlaceText(found->place)});
      return;
    }
    if (!built_in.empty()) values_.push_back({shown, built_in, "default", ""});
  }

  void ExplainDestination() {
    std::vector<Layer> layers = TenantLayers(".destination.");
    layers.push_back({"destination", "destination."});
    for (const Key& key : RootSection().keys) {
      if (key.name != "destination") continue;
      for (const Key& inner : key.section->keys) {
        if (inner.kind != KeyKind::kSection)
          Strongest(inner.name, layers, inner.default_text, "destination." + inner.name);
      }
    }
    // The tenant's words for them are shorter.
    layers.pop_back();
    for (const auto& [own, general] : {std::pair("credentials_file", "credentials.file"),
                                       std::pair("impersonate", "credentials.impersonate")}) {
      const size_t before = values_.size();
      Strongest(own, layers, "", fmt::format("destination.{}", general));
      if (values_.size() == before)
        Strongest(general, {{"destination", "destination."}}, "", fmt::format("destination.{}", general));
    }
  }

  void ExplainOptions(const TableRule& rule) {
    const auto place = static_cast<size_t>(&rule - config_.tables.data());
    std::vector<Layer> layers = {{fmt::format("tables[{}]", place), fmt::format("tables[{}].", place)}};
    for (Layer& layer : TenantLayers(".")) layers.push_back(std::move(layer));
    layers.push_back({"defaults", "defaults."});
    AddedUp(layers);
    Flat(TableOptionsSection(), "", layers);
  }

  void Flat(const Section& section, const std::string& prefix, const std::vector<Layer>& layers) {
    for (const Key& key : section.keys) {
      const std::string name = prefix + key.name;
      if (key.kind == KeyKind::kSection) {
        Flat(*key.section, name + ".", layers);
      } else if (key.kind != KeyKind::kSectionMap && key.kind != KeyKind::kTextMap && !IsAddedUp(name)) {
        Strongest(name, layers, prefix.empty() ? key.default_text : "", name);
      }
    }
  }

  // What each layer adds, the weakest first, as conditions are put together.
  void AddedUp(const std::vector<Layer>& layers) {
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
      for (auto key = config_.written->lower_bound(layer->path);
           key != config_.written->end() && key->first.starts_with(layer->path); ++key) {
        const std::string name = key->first.substr(layer->path.size());
        if (!IsAddedUp(name) && name != "labels") continue;
        values_.push_back({name, key->second.text, layer->name, PlaceText(key->second.place), true});
      }
    }
  }

  const Config& config_;
  const TenantConfig& tenant_;
  std::vector<ExplainedValue> values_;
};

const TableRule* RuleOf(const Config& config, const TenantConfig& tenant, std::string_view table) {
  const size_t dot = table.find('.');
  if (dot == std::string_view::npos) return nullptr;
  std::string_view database = table.substr(0, dot);
  if (!tenant.database.empty() && database == tenant.database) database = kTenantDatabase;
  const TableRule* rule = FindRule(config, database, table.substr(dot + 1));
  if (rule == nullptr || IsOwn(*rule) == tenant.database.empty()) return nullptr;
  return rule;
}

// One text a key: what is added up is one after the other.
std::map<std::string, std::string> ByKey(const std::vector<ExplainedValue>& values) {
  std::map<std::string, std::string> texts;
  for (const ExplainedValue& value : values) {
    std::string& text = texts[value.key];
    text = text.empty() || !value.is_added ? value.value : fmt::format("{} and {}", text, value.value);
  }
  return texts;
}

void Compare(const std::string& table, const std::map<std::string, std::string>& first,
             const std::map<std::string, std::string>& second, std::vector<TenantDifference>* differences) {
  std::map<std::string, std::pair<std::string, std::string>> both;
  for (const auto& [key, text] : first) both[key].first = text;
  for (const auto& [key, text] : second) both[key].second = text;
  for (const auto& [key, texts] : both) {
    const bool of_destination = key.starts_with("destination.");
    if (of_destination != table.empty() || texts.first == texts.second) continue;
    differences->push_back({table, key, texts.first, texts.second});
  }
}

}  // namespace

absl::StatusOr<std::vector<ExplainedValue>> ExplainTable(const Config& config, std::string_view tenant,
                                                         std::string_view table) {
  const TenantConfig* found = FindTenant(config, tenant);
  if (found == nullptr) return UnknownTenant(config, tenant);
  const TableRule* rule = RuleOf(config, *found, table);
  if (rule == nullptr) {
    std::vector<std::string> patterns;
    for (const TableRule& each : config.tables) patterns.push_back(each.pattern);
    return WithHint(absl::NotFoundError(fmt::format("no entry of `tables` delivers {} to {}", table, tenant)),
                    fmt::format("there are {}", fmt::join(patterns, ", ")));
  }
  return Explainer(config, *found).Explain(rule);
}

absl::StatusOr<std::vector<TenantDifference>> CompareTenants(const Config& config, std::string_view first,
                                                             std::string_view second) {
  const TenantConfig* one = FindTenant(config, first);
  if (one == nullptr) return UnknownTenant(config, first);
  const TenantConfig* other = FindTenant(config, second);
  if (other == nullptr) return UnknownTenant(config, second);
  std::vector<TenantDifference> differences;
  Compare("", ByKey(Explainer(config, *one).Explain(nullptr)),
          ByKey(Explainer(config, *other).Explain(nullptr)), &differences);
  for (const TableRule& rule : config.tables) {
    const auto values = [&](const TenantConfig& tenant) {
      const bool delivered = IsOwn(rule) == !tenant.database.empty();
      if (!delivered) return std::map<std::string, std::string>{{"delivered", "no"}};
      return ByKey(Explainer(config, tenant).Explain(&rule));
    };
    Compare(rule.pattern, values(*one), values(*other), &differences);
  }
  return differences;
}

}  // namespace hakobu
