// REST's Dataset and Table resources to and from the catalog's structs.
// Source: https://cloud.google.com/bigquery/docs/reference/rest/v2/{datasets,tables}
#include <fmt/format.h>

#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/json_field.h"

namespace hakobu::localbq {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 5> kTypeNames = {"TABLE", "VIEW", "MATERIALIZED_VIEW", "EXTERNAL",
                                                        "SNAPSHOT"};

const json* Object(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? &*found : nullptr;
}

std::map<std::string, std::string> Labels(const json& resource) {
  std::map<std::string, std::string> labels;
  if (const json* object = Object(resource, "labels")) {
    for (const auto& [key, value] : object->items()) {
      if (value.is_string()) labels[key] = value.get<std::string>();
    }
  }
  return labels;
}

// What is neither typed here nor made by the server.
std::string Others(json resource, std::initializer_list<const char*> typed) {
  for (const char* key : typed) resource.erase(key);
  for (auto entry = resource.begin(); entry != resource.end();) {
    entry = entry->is_null() ? resource.erase(entry) : std::next(entry);
  }
  return resource.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void PutText(json* resource, const char* key, const std::string& text) {
  if (!text.empty()) (*resource)[key] = text;
}

absl::Status ReadConstraints(const json& resource, Table* table) {
  const json* constraints = Object(resource, "tableConstraints");
  if (constraints == nullptr) return absl::OkStatus();
  if (const json* key = Object(*constraints, "primaryKey")) {
    table->primary_key = key->value("columns", std::vector<std::string>());
    HAKOBU_RETURN_IF_ERROR(CheckPrimaryKey(table->schema, table->primary_key));
  }
  const auto keys = constraints->find("foreignKeys");
  if (keys == constraints->end() || !keys->is_array()) return absl::OkStatus();
  for (const json& key : *keys) {
    ForeignKey foreign;
    foreign.name = TextField(key, "name");
    if (const json* table_reference = Object(key, "referencedTable")) {
      foreign.referenced = {TextField(*table_reference, "projectId"),
                            TextField(*table_reference, "datasetId"), TextField(*table_reference, "tableId")};
    }
    for (const json& pair : key.value("columnReferences", json::array())) {
      foreign.columns.emplace_back(TextField(pair, "referencingColumn"), TextField(pair, "referencedColumn"));
    }
    table->foreign_keys.push_back(std::move(foreign));
  }
  return absl::OkStatus();
}

absl::Status ReadPartitioning(const json& resource, Table* table) {
  if (const json* time = Object(resource, "timePartitioning")) {
    TimePartitioning partitioning{.type = TextField(*time, "type"),
                                  .column = TextField(*time, "field"),
                                  .expiration_ms = IntegerField(*time, "expirationMs")};
    if (partitioning.type.empty()) partitioning.type = "DAY";
    constexpr std::array<std::string_view, 4> kTypes = {"HOUR", "DAY", "MONTH", "YEAR"};
    if (std::ranges::find(kTypes, partitioning.type) == kTypes.end()) {
      return absl::InvalidArgumentError(
          fmt::format("Invalid value for type: {} is not a valid value", partitioning.type));
    }
    if (!partitioning.column.empty()) {
      const Column* column = FindColumn(table->schema, partitioning.column);
      const bool time_like =
          column != nullptr && (column->type == Type::kDate || column->type == Type::kDateTime ||
                                column->type == Type::kTimestamp);
      if (!table->schema.empty() && !time_like) {
        return absl::InvalidArgumentError(
            fmt::format("The field specified for partitioning can not be {} in the schema. It must be a "
                        "top-level DATE, DATETIME "
                        "or TIMESTAMP column: {}",
                        column == nullptr ? "found" : "used", partitioning.column));
      }
    }
    table->time_partitioning = std::move(partitioning);
  }
  if (const json* range = Object(resource, "rangePartitioning")) {
    const json bounds = range->value("range", json::object());
    table->range_partitioning = RangePartitioning{.column = TextField(*range, "field"),
                                                  .start = IntegerField(bounds, "start"),
                                                  .end = IntegerField(bounds, "end"),
                                                  .interval = IntegerField(bounds, "interval")};
  }
  if (const json* clustering = Object(resource, "clustering")) {
    table->clustering = clustering->value("fields", std::vector<std::string>());
    if (table->clustering.size() > 4) {
      return absl::InvalidArgumentError("Too many clustering fields, at most 4 are allowed");
    }
    for (const std::string& column : table->clustering) {
      if (!table->schema.empty() && FindColumn(table->schema, column) == nullptr) {
        return absl::InvalidArgumentError(fmt::format(
            "The field specified for clustering cannot be found in the schema. Invalid field: {}", column));
      }
    }
  }
  return absl::OkStatus();
}

json ConstraintsToJson(const Table& table) {
  json constraints = json::object();
  if (!table.primary_key.empty()) constraints["primaryKey"] = {{"columns", table.primary_key}};
  for (const ForeignKey& key : table.foreign_keys) {
    json columns = json::array();
    for (const auto& [from, to] : key.columns) {
      columns.push_back({{"referencingColumn", from}, {"referencedColumn", to}});
    }
    json entry = {{"referencedTable",
                   {{"projectId", key.referenced.project},
                    {"datasetId", key.referenced.dataset},
                    {"tableId", key.referenced.table}}},
                  {"columnReferences", std::move(columns)}};
    PutText(&entry, "name", key.name);
    constraints["foreignKeys"].push_back(std::move(entry));
  }
  return constraints;
}

void PutPartitioning(const Table& table, json* resource) {
  if (const auto& time = table.time_partitioning) {
    json partitioning = {{"type", time->type}};
    PutText(&partitioning, "field", time->column);
    if (time->expiration_ms != 0) partitioning["expirationMs"] = std::to_string(time->expiration_ms);
    (*resource)["timePartitioning"] = std::move(partitioning);
  }
  if (const auto& range = table.range_partitioning) {
    (*resource)["rangePartitioning"] = {{"field", range->column},
                                        {"range",
                                         {{"start", std::to_string(range->start)},
                                          {"end", std::to_string(range->end)},
                                          {"interval", std::to_string(range->interval)}}}};
  }
  if (!table.clustering.empty()) (*resource)["clustering"] = {{"fields", table.clustering}};
  if (table.require_partition_filter) (*resource)["requirePartitionFilter"] = true;
}

}  // namespace

json ToJson(const Dataset& dataset) {
  json resource = json::parse(dataset.other);
  resource["kind"] = "bigquery#dataset";
  resource["id"] = DisplayName(dataset.id);
  resource["etag"] = dataset.etag;
  resource["datasetReference"] = {{"projectId", dataset.id.project}, {"datasetId", dataset.id.dataset}};
  resource["location"] = dataset.location;
  resource["type"] = "DEFAULT";
  PutText(&resource, "friendlyName", dataset.friendly_name);
  PutText(&resource, "description", dataset.description);
  if (!dataset.labels.empty()) resource["labels"] = dataset.labels;
  resource["access"] = json::parse(dataset.access);
  if (dataset.default_table_expiration_ms != 0) {
    resource["defaultTableExpirationMs"] = std::to_string(dataset.default_table_expiration_ms);
  }
  resource["creationTime"] = std::to_string(dataset.created_ms);
  resource["lastModifiedTime"] = std::to_string(dataset.modified_ms);
  return resource;
}

absl::StatusOr<Dataset> DatasetFromJson(const json& resource, const DatasetId& id) {
  if (!resource.is_object())
    return absl::InvalidArgumentError("Invalid JSON payload received: expected an object");
  Dataset dataset;
  dataset.id = id;
  if (std::string location = TextField(resource, "location"); !location.empty())
    dataset.location = std::move(location);
  dataset.friendly_name = TextField(resource, "friendlyName");
  dataset.description = TextField(resource, "description");
  dataset.labels = Labels(resource);
  if (const auto access = resource.find("access"); access != resource.end() && access->is_array()) {
    dataset.access = access->dump();
  }
  dataset.default_table_expiration_ms = IntegerField(resource, "defaultTableExpirationMs");
  dataset.etag = TextField(resource, "etag");
  dataset.created_ms = IntegerField(resource, "creationTime");
  dataset.modified_ms = IntegerField(resource, "lastModifiedTime");
  dataset.other = Others(resource, {"kind", "id", "etag", "selfLink", "datasetReference", "location", "type",
                                    "friendlyName", "description", "labels", "access",
                                    "defaultTableExpirationMs", "creationTime", "lastModifiedTime"});
  return dataset;
}

json ToJson(const Table& table) {
  json resource = json::parse(table.other);
  resource["kind"] = "bigquery#table";
  resource["id"] = DisplayName(table.id);
  resource["etag"] = table.etag;
  resource["type"] = kTypeNames[static_cast<size_t>(table.type)];
  resource["tableReference"] = {
      {"projectId", table.id.project}, {"datasetId", table.id.dataset}, {"tableId", table.id.table}};
  if (!table.schema.empty()) resource["schema"] = SchemaToJson(table.schema);
  if (json constraints = ConstraintsToJson(table); !constraints.empty()) {
    resource["tableConstraints"] = std::move(constraints);
  }
  PutPartitioning(table, &resource);
  PutText(&resource, "friendlyName", table.friendly_name);
  PutText(&resource, "description", table.description);
  if (!table.labels.empty()) resource["labels"] = table.labels;
  PutText(&resource, "maxStaleness", table.max_staleness);
  if (table.expiration_ms != 0) resource["expirationTime"] = std::to_string(table.expiration_ms);
  if (table.type == TableType::kView) {
    resource["view"]["query"] = table.view_query;
    resource["view"]["useLegacySql"] = false;
  } else if (table.type == TableType::kMaterializedView) {
    resource["materializedView"]["query"] = table.view_query;
  }
  resource["creationTime"] = std::to_string(table.created_ms);
  resource["lastModifiedTime"] = std::to_string(table.modified_ms);
  return resource;
}

absl::StatusOr<Table> TableFromJson(const json& resource, const TableId& id) {
  if (!resource.is_object())
    return absl::InvalidArgumentError("Invalid JSON payload received: expected an object");
  Table table;
  table.id = id;
  const std::string type = TextField(resource, "type");
  for (size_t i = 0; i < kTypeNames.size(); ++i) {
    if (type == kTypeNames[i]) table.type = static_cast<TableType>(i);
  }
  if (const json* view = Object(resource, "view")) {
    table.type = TableType::kView;
    table.view_query = TextField(*view, "query");
  } else if (const json* materialized = Object(resource, "materializedView")) {
    table.type = TableType::kMaterializedView;
    table.view_query = TextField(*materialized, "query");
  } else if (Object(resource, "externalDataConfiguration") != nullptr) {
    table.type = TableType::kExternal;
  }
  if (const json* schema = Object(resource, "schema")) {
    HAKOBU_ASSIGN_OR_RETURN(table.schema, SchemaFromJson(*schema));
  }
  HAKOBU_RETURN_IF_ERROR(ReadConstraints(resource, &table));
  HAKOBU_RETURN_IF_ERROR(ReadPartitioning(resource, &table));
  const auto filter = resource.find("requirePartitionFilter");
  table.require_partition_filter = filter != resource.end() && filter->is_boolean() && filter->get<bool>();
  table.friendly_name = TextField(resource, "friendlyName");
  table.description = TextField(resource, "description");
  table.labels = Labels(resource);
  table.max_staleness = TextField(resource, "maxStaleness");
  table.expiration_ms = IntegerField(resource, "expirationTime");
  table.etag = TextField(resource, "etag");
  table.created_ms = IntegerField(resource, "creationTime");
  table.modified_ms = IntegerField(resource, "lastModifiedTime");
  table.other = Others(resource, {"kind",
                                  "id",
                                  "etag",
                                  "selfLink",
                                  "type",
                                  "tableReference",
                                  "schema",
                                  "tableConstraints",
                                  "timePartitioning",
                                  "rangePartitioning",
                                  "clustering",
                                  "requirePartitionFilter",
                                  "friendlyName",
                                  "description",
                                  "labels",
                                  "maxStaleness",
                                  "expirationTime",
                                  "creationTime",
                                  "lastModifiedTime",
                                  "numRows",
                                  "numBytes",
                                  "numLongTermBytes",
                                  "numTotalLogicalBytes",
                                  "numActiveLogicalBytes",
                                  "numLongTermLogicalBytes",
                                  "numTimeTravelPhysicalBytes",
                                  "numTotalPhysicalBytes",
                                  "numActivePhysicalBytes",
                                  "numLongTermPhysicalBytes",
                                  "streamingBuffer",
                                  "location"});
  return table;
}

namespace {

absl::Status CheckColumns(const TableId& id, const std::string& prefix, const Schema& before,
                          const Schema& after) {
  const auto refuse = [&](std::string_view why) {
    return absl::InvalidArgumentError(
        fmt::format("Provided Schema does not match Table {}. {}", DisplayName(id), why));
  };
  for (const Column& former : before) {
    const Column* column = FindColumn(after, former.name);
    const std::string name = prefix + former.name;
    if (column == nullptr) return refuse(fmt::format("Field {} is missing in new schema", name));
    if (column->type != former.type) {
      return refuse(fmt::format("Field {} has changed type from {} to {}", name, RestTypeName(former.type),
                                RestTypeName(column->type)));
    }
    const bool relaxed = former.mode == Mode::kRequired && column->mode == Mode::kNullable;
    if (column->mode != former.mode && !relaxed) {
      constexpr std::array kModes = {"NULLABLE", "REQUIRED", "REPEATED"};
      return refuse(fmt::format("Field {} has changed mode from {} to {}", name,
                                kModes[static_cast<size_t>(former.mode)],
                                kModes[static_cast<size_t>(column->mode)]));
    }
    HAKOBU_RETURN_IF_ERROR(CheckColumns(id, name + ".", former.fields, column->fields));
  }
  for (const Column& column : after) {
    if (column.mode == Mode::kRequired && FindColumn(before, column.name) == nullptr && !before.empty()) {
      return refuse(fmt::format("Cannot add required fields to an existing schema. (field: {}{})", prefix,
                                column.name));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPrimaryKey(const Schema& schema, const std::vector<std::string>& key) {
  if (key.size() > 16) return absl::InvalidArgumentError("Primary key cannot have more than 16 columns");
  for (const std::string& column : key) {
    const Column* found = FindColumn(schema, column);
    if (found == nullptr) {
      return absl::InvalidArgumentError(
          fmt::format("Column '{}' in primary key is not found in the table.", column));
    }
    constexpr std::array kNotKeys = {Type::kRecord,  Type::kJson,  Type::kGeography, Type::kInterval,
                                     Type::kFloat64, Type::kRange, Type::kTime};
    const bool bad = std::ranges::find(kNotKeys, found->type) != kNotKeys.end();
    if (bad || found->mode == Mode::kRepeated) {
      return absl::InvalidArgumentError(
          fmt::format("Column '{}' of type {} cannot be part of a primary key", column, SqlTypeText(*found)));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSchemaUpdate(const TableId& id, const Schema& before, const Schema& after) {
  return CheckColumns(id, "", before, after);
}

}  // namespace hakobu::localbq
