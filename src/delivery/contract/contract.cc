#include "delivery/contract/contract.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/sha.h>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "base/status.h"

namespace hakobu {
namespace {

std::string_view ConversionName(Conversion conversion) {
  switch (conversion) {
    case Conversion::kPlain:
      return "plain";
    case Conversion::kHex:
      return "hex";
    case Conversion::kBase64:
      return "base64";
    case Conversion::kUuid:
      return "uuid";
    case Conversion::kTimeMicros:
      return "time_micros";
    case Conversion::kZoned:
      return "zoned";
    case Conversion::kCivilAsUtc:
      return "civil_as_utc";
    case Conversion::kWkb:
      return "wkb";
    case Conversion::kAlwaysNull:
      return "always_null";
  }
  return "plain";
}

std::string MaskName(const Field& field) {
  switch (field.mask) {
    case Mask::kNone:
      return "none";
    case Mask::kSha256:
      return "sha256";
    case Mask::kNull:
      return "null";
    case Mask::kFirstN:
      return fmt::format("first_n({})", field.mask_keep_characters);
  }
  return "none";
}

std::string Typed(std::string_view type, bool repeated) {
  return repeated ? fmt::format("ARRAY<{}>", type) : std::string(type);
}

ColumnForm FormOf(const Field& field, const SourceColumn& column) {
  ColumnForm form;
  form.name = field.name;
  form.type = Typed(FieldTypeName(field.type), field.mode == FieldMode::kRepeated);
  form.source = column.name;
  form.conversion = ConversionName(field.conversion);
  form.zone = field.conversion == Conversion::kZoned ? field.zone : "";
  form.mask = MaskName(field);
  form.salt = field.mask == Mask::kSha256 ? ContractDigest(field.mask_salt) : "";
  form.invalid_as_text = field.invalid == InvalidPolicy::kString;
  return form;
}

std::string StandardTypeName(std::string_view type) {
  if (type == "INTEGER") return "INT64";
  if (type == "FLOAT") return "FLOAT64";
  if (type == "BOOLEAN") return "BOOL";
  if (type == "RECORD") return "STRUCT";
  return std::string(type);
}

std::string TextOf(const nlohmann::json& object, const char* name, std::string otherwise = "") {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return otherwise;
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string PartitioningOf(const nlohmann::json& resource) {
  if (const auto by = resource.find("timePartitioning"); by != resource.end() && by->is_object()) {
    return fmt::format("{} of {}", TextOf(*by, "type", "DAY"),
                       absl::AsciiStrToLower(TextOf(*by, "field", "_PARTITIONTIME")));
  }
  if (const auto by = resource.find("rangePartitioning"); by != resource.end() && by->is_object()) {
    const nlohmann::json range = by->value("range", nlohmann::json::object());
    return fmt::format("{}..{} by {} of {}", TextOf(range, "start"), TextOf(range, "end"),
                       TextOf(range, "interval"), absl::AsciiStrToLower(TextOf(*by, "field")));
  }
  return "none";
}

std::vector<std::string> TextsAt(const nlohmann::json& resource, const char* pointer) {
  const nlohmann::json::json_pointer at(pointer);
  std::vector<std::string> texts;
  if (!resource.contains(at) || !resource.at(at).is_array()) return texts;
  for (const nlohmann::json& text : resource.at(at)) {
    if (text.is_string()) texts.push_back(text.get<std::string>());
  }
  return texts;
}

nlohmann::json FieldsOf(const nlohmann::json& resource) {
  const nlohmann::json::json_pointer at("/schema/fields");
  if (!resource.contains(at) || !resource.at(at).is_array()) return nlohmann::json::array();
  return resource.at(at);
}

}  // namespace

std::string_view ContractModeName(ContractMode mode) {
  switch (mode) {
    case ContractMode::kReplace:
      return "replace";
    case ContractMode::kAppend:
      return "append";
    case ContractMode::kIncremental:
      return "incremental";
    case ContractMode::kUpsert:
      return "upsert";
    case ContractMode::kSoft:
      return "soft";
    case ContractMode::kHistory:
      return "history";
  }
  return "replace";
}

bool WidensType(std::string_view from, std::string_view to) {
  if (from == "INT64") return to == "NUMERIC" || to == "BIGNUMERIC" || to == "FLOAT64";
  if (from == "NUMERIC") return to == "BIGNUMERIC" || to == "FLOAT64";
  return false;
}

std::string ContractDigest(std::string_view text) {
  if (text.empty()) return "";
  // Apart from the masks' own hashes of salted values.
  const std::string marked = fmt::format("hakobu contract\n{}", text);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(marked.data()), marked.size(), digest);
  std::string hex;
  for (size_t i = 0; i < 8; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

TableContract MakeContract(const SourceTable& source, const TableOptions& options, const TableSchema& schema,
                           ContractMode mode, std::string_view target) {
  TableContract contract;
  contract.source = source.database + "." + source.name;
  contract.target = target;
  contract.mode = mode;
  contract.history_without_key = mode == ContractMode::kHistory && !options.history;
  contract.filter = ContractDigest(options.where);
  if (mode == ContractMode::kIncremental) contract.cursor = options.cursor;
  for (const SourceColumn& column : source.columns) {
    contract.source_columns.push_back({column.name, column.declared});
  }
  if (source.key.has_value()) {
    for (const size_t place : source.key->columns) contract.source_key.push_back(source.columns[place].name);
  }
  for (const Field& field : schema.fields) {
    if (field.source_column >= source.columns.size()) continue;
    contract.columns.push_back(FormOf(field, source.columns[field.source_column]));
  }
  const bool keyed = mode == ContractMode::kUpsert || mode == ContractMode::kSoft;
  if (keyed) contract.staleness_seconds = absl::ToInt64Seconds(options.max_staleness);
  for (const size_t place : schema.key) {
    if (keyed) contract.key.push_back(schema.fields[place].name);
  }
  return contract;
}

absl::StatusOr<TargetIdentity> ReadTargetIdentity(std::string_view table_resource) {
  const nlohmann::json resource = nlohmann::json::parse(table_resource, nullptr, false);
  if (!resource.is_object()) return absl::DataLossError("BigQuery's table resource is no JSON object");
  TargetIdentity identity;
  identity.kind = TextOf(resource, "type", "TABLE");
  if (!absl::SimpleAtoi(TextOf(resource, "creationTime", "0"), &identity.created_ms)) identity.created_ms = 0;
  identity.partitioning = PartitioningOf(resource);
  identity.clustering = TextsAt(resource, "/clustering/fields");
  identity.key = TextsAt(resource, "/tableConstraints/primaryKey/columns");
  for (const nlohmann::json& field : FieldsOf(resource)) {
    if (!field.is_object()) continue;
    identity.columns.push_back(
        {TextOf(field, "name"),
         Typed(StandardTypeName(TextOf(field, "type", "STRING")), TextOf(field, "mode") == "REPEATED")});
  }
  return identity;
}

std::vector<std::string> WhatHangsOn(std::string_view table_resource, const TableOptions& options,
                                     std::string_view source_comment) {
  std::vector<std::string> things;
  const nlohmann::json resource = nlohmann::json::parse(table_resource, nullptr, false);
  if (!resource.is_object()) return things;
  std::vector<std::string> tagged, described, labels;
  for (const nlohmann::json& field : FieldsOf(resource)) {
    if (!field.is_object()) continue;
    if (!TextsAt(field, "/policyTags/names").empty()) tagged.push_back(TextOf(field, "name"));
    if (field.contains("dataPolicies")) tagged.push_back(TextOf(field, "name"));
  }
  if (!tagged.empty()) things.push_back(fmt::format("policy tags on {}", fmt::join(tagged, ", ")));
  const std::string description = TextOf(resource, "description");
  if (!description.empty() && description != options.description && description != source_comment)
    things.push_back("a description");
  if (const auto found = resource.find("labels"); found != resource.end() && found->is_object()) {
    for (const auto& [name, value] : found->items()) {
      const auto own = options.labels.find(name);
      if (own == options.labels.end() || !value.is_string() || own->second != value.get<std::string>())
        labels.push_back(name);
    }
  }
  if (!labels.empty()) things.push_back(fmt::format("labels {}", fmt::join(labels, ", ")));
  if (resource.contains("resourceTags") && !resource["resourceTags"].empty())
    things.push_back("resource tags");
  if (resource.contains("encryptionConfiguration")) things.push_back("a key of the customer's own");
  return things;
}

}  // namespace hakobu
