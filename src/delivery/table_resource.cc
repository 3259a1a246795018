#include "delivery/table_resource.h"

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/status.h"

namespace hakobu {
namespace {

using nlohmann::json;

json Parse(std::string_view text) {
  json parsed = json::parse(text, nullptr, false);
  return parsed.is_object() ? parsed : json::object();
}

const json* FindField(const json& fields, std::string_view name) {
  for (const json& field : fields) {
    if (absl::EqualsIgnoreCase(field.value("name", ""), View(name))) return &field;
  }
  return nullptr;
}

// The name under which BigQuery had the field before this run renamed it; the field's own else.
std::string FormerName(const TableWork& work, const std::string& name) {
  for (const SchemaChange& change : work.changes) {
    if (change.kind == SchemaChangeKind::kRenamed && change.column == name) return change.before;
  }
  return name;
}

// The wanted fields; where the target already describes or tags a column, its words and tags.
json Fields(const TableWork& work, const json& target) {
  json fields = json::parse(SchemaFieldsJson(work.schema), nullptr, false);
  const json existing = target.value("/schema/fields"_json_pointer, json::array());
  for (json& field : fields) {
    const std::string name = field.value("name", "");
    const json* old_one = FindField(existing, name);
    if (old_one == nullptr) old_one = FindField(existing, FormerName(work, name));
    if (old_one == nullptr) continue;
    if (!old_one->value("description", "").empty()) field["description"] = (*old_one)["description"];
    if (old_one->contains("policyTags")) field["policyTags"] = (*old_one)["policyTags"];
  }
  return fields;
}

std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

const char* UnitName(PartitionUnit unit) {
  switch (unit) {
    case PartitionUnit::kHour:
      return "HOUR";
    case PartitionUnit::kMonth:
      return "MONTH";
    case PartitionUnit::kYear:
      return "YEAR";
    default:
      return "DAY";
  }
}

json Partitioning(const TableWork& work) {
  json resource = json::object();
  if (!work.options.cluster.empty()) resource["clustering"]["fields"] = work.options.cluster;
  if (!work.options.partition.has_value()) return resource;
  const PartitionConfig& partition = *work.options.partition;
  if (partition.by == PartitionUnit::kRange) {
    resource["rangePartitioning"] = {{"field", partition.column},
                                     {"range",
                                      {{"start", std::to_string(partition.start)},
                                       {"end", std::to_string(partition.end)},
                                       {"interval", std::to_string(partition.interval)}}}};
    return resource;
  }
  json& by = resource["timePartitioning"];
  by = {{"type", UnitName(partition.by)}, {"field", partition.column}};
  if (partition.expire_after.has_value()) {
    by["expirationMs"] = std::to_string(absl::ToInt64Milliseconds(*partition.expire_after));
  }
  return resource;
}

// 10,000 years: a dataset's default for new tables would take rows away on arrival.
constexpr const char* kForeverMs = "315569520000000";

json StagingLayout(const TableWork& work, const json& target) {
  json layout = Partitioning(work);
  if (!target.empty()) {
    layout.erase("timePartitioning");
    layout.erase("rangePartitioning");
    for (const char* key : {"timePartitioning", "rangePartitioning"}) {
      if (target.contains(key)) layout[key] = target[key];
    }
    if (!layout.contains("clustering") && target.contains("clustering"))
      layout["clustering"] = target["clustering"];
  }
  if (layout.contains("timePartitioning")) {
    layout["timePartitioning"].erase("requirePartitionFilter");
    layout["timePartitioning"]["expirationMs"] = kForeverMs;
  }
  return layout;
}

std::string Description(const TableWork& work) {
  return work.options.description.empty() ? work.source.comment : work.options.description;
}

// Descriptions and policy tags only: what a schema patch here may change.
bool SameTags(const json& a, const json& b) {
  for (const json& field : a) {
    const json* other = FindField(b, field.value("name", ""));
    if (other == nullptr) continue;
    if (field.value("description", "") != other->value("description", "")) return false;
    if (field.value("policyTags", json()) != other->value("policyTags", json())) return false;
  }
  return true;
}

// BigQuery does not tell column names apart by case.
bool SameNames(const json& a, const json& b) {
  return absl::EqualsIgnoreCase(a.dump(), b.dump());
}

// `onto` with the descriptions and policy tags of `from`.
json WithTags(json onto, const json& from) {
  for (json& field : onto) {
    const json* other = FindField(from, field.value("name", ""));
    if (other == nullptr) continue;
    for (const char* key : {"description", "policyTags"}) {
      if (other->contains(key)) field[key] = (*other)[key];
    }
  }
  return onto;
}

}  // namespace

std::string PartitionJson(const TableWork& work) {
  return Dump(Partitioning(work));
}

std::string StagingResource(const TableWork& work, const PublishTarget& state, const StagingLabels& labels,
                            absl::Time expires) {
  const json target = Parse(state.resource);
  json resource = work.write == WriteBy::kLoad ? StagingLayout(work, target) : json::object();
  resource["schema"]["fields"] = Fields(work, target);
  resource["labels"] = {{"hakobu_ledger", labels.ledger}, {"hakobu_run", labels.run}};
  resource["expirationTime"] = std::to_string(absl::ToUnixMillis(expires));
  resource["description"] = "rows on their way to " + work.target.table + "; made and removed by hakobu";
  if (target.contains("tableConstraints")) resource["tableConstraints"] = target["tableConstraints"];
  if (!state.kms_key.empty()) resource["encryptionConfiguration"]["kmsKeyName"] = state.kms_key;
  return Dump(resource);
}

std::string NewTableJson(const TableWork& work) {
  json load = Partitioning(work);
  json properties = json::object();
  if (!Description(work).empty()) properties["description"] = Description(work);
  for (const auto& [key, value] : work.options.labels) properties["labels"][key] = value;
  if (!properties.empty()) load["destinationTableProperties"] = std::move(properties);
  return Dump(load);
}

std::string TargetResource(const TableWork& work) {
  json resource = Partitioning(work);
  resource["schema"]["fields"] = Fields(work, json::object());
  if (!Description(work).empty()) resource["description"] = Description(work);
  for (const auto& [key, value] : work.options.labels) resource["labels"][key] = value;
  if (work.options.partition.has_value() && work.options.partition->require_filter) {
    resource["requirePartitionFilter"] = true;
  }
  return Dump(resource);
}

std::string LoadFieldsJson(const TableWork& work, std::string_view target) {
  const json existing = Parse(target).value("/schema/fields"_json_pointer, json::array());
  if (existing.empty()) return SchemaFieldsJson(work.schema);
  json fields = json::parse(SchemaFieldsJson(work.schema), nullptr, false);
  for (json& field : fields) {
    field.erase("description");
    const std::string name = field.value("name", "");
    const json* there = FindField(existing, name);
    if (there == nullptr) there = FindField(existing, FormerName(work, name));
    const bool required = there != nullptr && there->value("mode", "") == "REQUIRED";
    if (field.value("mode", "") == "REQUIRED" && !required) field["mode"] = "NULLABLE";
  }
  return Dump(fields);
}

std::string TargetPatch(std::string_view target, std::string_view before, const TableWork& work) {
  const json now = Parse(target);
  const json old_one = Parse(before);
  json patch = json::object();
  // Words that people wrote in BigQuery win over the source's comment, but not over the configuration.
  std::string description = work.options.description;
  if (description.empty()) description = old_one.value("description", "");
  if (description.empty()) description = work.source.comment;
  if (description != now.value("description", "")) patch["description"] = description;
  json labels = old_one.value("labels", json::object());
  for (const auto& [key, value] : work.options.labels) labels[key] = value;
  const json has = now.value("labels", json::object());
  for (const auto& [key, value] : has.items()) {
    if (!labels.contains(key)) labels[key] = nullptr;  // came with the copy: null removes it
  }
  if (labels != has && !labels.empty()) patch["labels"] = labels;
  const json fields = now.value("/schema/fields"_json_pointer, json::array());
  const json wanted = Fields(work, old_one);
  if (!SameTags(wanted, fields)) patch["schema"]["fields"] = WithTags(fields, wanted);
  // What is not configured is the customer's own: it is set here, or put back, never taken away.
  const bool filter = (work.options.partition.has_value() && work.options.partition->require_filter) ||
                      old_one.value("requirePartitionFilter", false);
  if (filter && !now.value("requirePartitionFilter", false)) patch["requirePartitionFilter"] = true;
  const json layout = Partitioning(work);
  if (layout.contains("clustering") && !SameNames(layout["clustering"], now.value("clustering", json()))) {
    patch["clustering"] = layout["clustering"];
  }
  if (old_one.contains("tableConstraints") && !now.contains("tableConstraints")) {
    patch["tableConstraints"] = old_one["tableConstraints"];
  }
  // A copy that made the table gave it the staging table's partition expiration.
  if (now.value("/timePartitioning/expirationMs"_json_pointer, "") == kForeverMs) {
    json by = old_one.empty() ? layout.value("timePartitioning", json::object())
                              : old_one.value("timePartitioning", json::object());
    if (!by.contains("expirationMs")) by["expirationMs"] = nullptr;
    patch["timePartitioning"] = std::move(by);
  }
  if (now.contains("expirationTime") && !old_one.contains("expirationTime"))
    patch["expirationTime"] = nullptr;
  return patch.empty() ? "" : Dump(patch);
}

}  // namespace hakobu
