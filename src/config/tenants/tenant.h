// Tenants: customers that share one source, each with a BigQuery of its own (docs/tenants.md). What a tier,
// and what a tenant says beside `defaults` and `tables`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/table_options.h"

namespace hakobu {

// A place of a file, 1-based; columns count bytes, in a CSV characters.
struct Place {
  int line = 0;
  int column = 0;
  std::string file{};  // beside the configuration; empty: the configuration itself
};

// A value or list of values as it stands in the file; of secrets what is referred to.
struct WrittenKey {
  Place place;
  std::string text;
};
using WrittenKeys = std::map<std::string, WrittenKey, std::less<>>;  // by key: "tables[2].partition.by"

// Keys of `destination:` that a tier or a tenant has; what it has not is left to the layer below.
struct DestinationLayer {
  std::optional<std::string> project;
  std::optional<std::string> billing_project;
  std::optional<std::string> dataset;
  std::optional<std::string> staging_dataset;
  std::optional<std::string> location;
  std::optional<std::string> quota_project;
  std::optional<std::string> kms_key;
  std::optional<std::string> credentials_file;
  std::optional<std::string> impersonate;
};

// What a tier or a tenant says of tables. `where`, `exclude`, `columns` and `labels` are added to what other
// layers say; of the others, the strongest layer that has the key decides.
struct TableLayer {
  struct Value {
    std::string key;
    std::function<void(TableOptions*)> assign;
  };
  std::vector<Value> values;
  TableOptions added;  // its where, exclude, columns and labels
};

struct TierConfig {
  DestinationLayer destination;
  TableLayer tables;
};

struct TenantConfig {
  std::string id;
  std::string value;                // of the tenant column; with `values`, one of them
  std::vector<std::string> values;  // never empty after the file is read, unless it has only a database
  std::string database;             // of its own at the source; empty: none
  std::string tier;                 // empty: none
  DestinationLayer destination;
  TableLayer tables;
  std::string path;  // of its keys: "tenants.list[3]"
  Place place;
};

struct TenantsConfig {
  std::string column;  // of shared tables, where an entry of `tables` names no other
  std::string csv;     // a file beside the configuration; empty: none
  bool create_datasets = false;
  std::string spool = ".hakobu/tenants";  // folder
  uint64_t spool_bytes = 50ull << 30;
  uint32_t deliveries = 8;  // tenants whose tables are sent at one time
  std::vector<TenantConfig> list;
};

}  // namespace hakobu
