#include "localbq/catalog/publish.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"

namespace hakobu::localbq {
namespace {

using nlohmann::json;

constexpr char kEncryption[] = "encryptionConfiguration";

void Move(const json& from, const char* key, json* to) {
  if (from.contains(key)) (*to)[key] = from[key];
}

void KeepObject(const Table& before, Table* after) {
  after->description = before.description;
  after->friendly_name = before.friendly_name;
  after->labels = before.labels;
  after->expiration_ms = before.expiration_ms;
  after->max_staleness = before.max_staleness;
  after->require_partition_filter = before.require_partition_filter;
}

void KeepLayout(const Table& before, Table* after) {
  after->time_partitioning = before.time_partitioning;
  after->range_partitioning = before.range_partitioning;
  after->clustering = before.clustering;
}

bool HasLayout(const Table& table) {
  return table.time_partitioning || table.range_partitioning || !table.clustering.empty();
}

std::string PartitioningText(const Table& table) {
  std::string text;
  if (const auto& time = table.time_partitioning) {
    text = fmt::format("interval(type:{}{}{})", absl::AsciiStrToLower(time->type),
                       time->column.empty() ? "" : ",field:", time->column);
  } else if (const auto& range = table.range_partitioning) {
    text = fmt::format("range(field:{},start:{},end:{},interval:{})", range->column, range->start, range->end,
                       range->interval);
  }
  if (!table.clustering.empty()) {
    text += fmt::format("{}clustering({})", text.empty() ? "" : " ", fmt::join(table.clustering, ","));
  }
  return text.empty() ? "none" : text;
}

std::string KindOf(const Table& table) {
  if (table.range_partitioning) return "Range partitioned";
  if (!table.time_partitioning) return "Non partitioned";
  return table.time_partitioning->column.empty() ? "Ingestion time partitioned" : "Column partitioned";
}

}  // namespace

void KeepOverTruncate(const Table& before, bool losses, Table* after) {
  KeepObject(before, after);
  if (!after->time_partitioning && !after->range_partitioning) {
    after->time_partitioning = before.time_partitioning;
    after->range_partitioning = before.range_partitioning;
  }
  if (after->clustering.empty()) after->clustering = before.clustering;
  const json own = json::parse(after->other);
  json other = json::parse(before.other);
  if (losses) {
    other.erase(kRowPoliciesKey);
    other.erase(kEncryption);
  }
  for (const auto& [key, value] : own.items()) other[key] = value;
  after->other = other.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void KeepOverCopy(const Table& before, const Table& source, bool losses, Table* after) {
  KeepObject(before, after);
  KeepLayout(before, after);
  const json taken = json::parse(source.other);
  json other = json::parse(before.other);
  if (losses) {
    for (const char* key : {kRowPoliciesKey, kEncryption}) other.erase(key);
    Move(taken, kRowPoliciesKey, &other);
  }
  after->other = other.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void KeepOverRecreate(const Table& before, Table* after) {
  json other = json::parse(after->other);
  Move(json::parse(before.other), kIamPolicyKey, &other);
  after->other = other.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void DropRowPolicies(Table* table) {
  json other = json::parse(table->other);
  other.erase(kRowPoliciesKey);
  table->other = other.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

absl::Status CheckLoadLayout(const Table& before, const Table& load) {
  if (!HasLayout(load) || PartitioningText(load) == PartitioningText(before)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("Incompatible table partitioning specification. Expects partitioning specification {}, but "
                  "input partitioning specification is {}",
                  PartitioningText(before), PartitioningText(load)));
}

absl::Status CheckCopyLayout(const Table& source, const Table& target) {
  const bool by_ingestion = target.time_partitioning && target.time_partitioning->column.empty();
  const bool from_plain = !source.time_partitioning && !source.range_partitioning;
  Table from = source, to = target;
  from.clustering.clear();
  to.clustering.clear();
  if (PartitioningText(from) != PartitioningText(to) && !(from_plain && by_ingestion)) {
    return absl::InvalidArgumentError(
        fmt::format("Failed to copy {} table to {} table: not supported.", KindOf(source), KindOf(target)));
  }
  if (source.clustering == target.clustering) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("Failed to copy table: incompatible clustering fields. Source: [{}], destination: [{}]",
                  fmt::join(source.clustering, ","), fmt::join(target.clustering, ",")));
}

absl::Status CheckRecreatedLayout(Table before, Table after) {
  before.clustering.clear();
  after.clustering.clear();
  if (PartitioningText(before) == PartitioningText(after)) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "Cannot replace a table with a different partitioning spec. Instead, DROP the table, and then recreate "
      "it. New partitioning spec is {} and existing spec is {}",
      PartitioningText(after), PartitioningText(before)));
}

}  // namespace hakobu::localbq
