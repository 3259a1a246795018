#include "delivery/stream/lane_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "base/status.h"
#include "delivery/preflight/table_checks.h"
#include "delivery/table_resource.h"

namespace hakobu {
namespace {

constexpr size_t kMostKeyColumns = 16;  // change data capture: "primary key of up to 16 columns"

struct OwnColumn {
  const char* name;
  SourceType source_type;
  FieldType type;
  const char* description;
};
constexpr OwnColumn kSoftColumns[] = {
    {"_hakobu_deleted", SourceType::kTinyInt, FieldType::kBool, "true once the row is gone from the source"}};
constexpr OwnColumn kHistoryColumns[] = {
    {"_hakobu_type", SourceType::kVarchar, FieldType::kString,
     "snapshot, insert, update, delete or truncate: what made this row"},
    {"_hakobu_place", SourceType::kVarchar, FieldType::kString,
     "the change's place in the log: grows as text, and is unique but for snapshots"},
    {"_hakobu_time", SourceType::kTimestamp, FieldType::kTimestamp, "when the change was committed"},
    {"_hakobu_gtid", SourceType::kVarchar, FieldType::kString,
     "the change's transaction, where it has an id"}};

std::span<const OwnColumn> OwnColumns(LaneMode mode) {
  if (mode == LaneMode::kSoft) return kSoftColumns;
  if (mode == LaneMode::kHistory) return kHistoryColumns;
  return {};
}

absl::Status AddOwnColumns(LaneSchema* schema) {
  TableWork& work = schema->work;
  for (const OwnColumn& own : OwnColumns(schema->mode)) {
    for (const Field& field : work.schema.fields) {
      if (!absl::EqualsIgnoreCase(field.name, own.name)) continue;
      return WithHint(
          absl::InvalidArgumentError(fmt::format(
              "{}: column `{}` has a name that the stream needs for itself", work.name, field.name)),
          "exclude it");
    }
    SourceColumn column;
    column.name = own.name;
    column.type = own.source_type;
    if (own.source_type == SourceType::kVarchar) {
      column.length = 200;
      column.charset = "utf8mb4";
      column.declared = "varchar(200)";
    } else {
      column.declared = own.source_type == SourceType::kTimestamp ? "timestamp(6)" : "tinyint(1)";
      column.fraction = own.source_type == SourceType::kTimestamp ? 6 : 0;
    }
    Field field;
    field.name = own.name;
    field.type = own.type;
    field.description = own.description;
    field.source_column = work.source.columns.size();
    work.source.columns.push_back(std::move(column));
    work.schema.fields.push_back(std::move(field));
  }
  return absl::OkStatus();
}

absl::Status CheckKey(const LaneSchema& schema) {
  const TableWork& work = schema.work;
  if (!schema.changes_by_key()) return absl::OkStatus();
  if (work.schema.key.empty()) {
    return WithHint(
        absl::InvalidArgumentError(fmt::format(
            "{}: mode stream needs a primary or unique NOT NULL key whose columns are all delivered, found "
            "{}",
            work.name, work.source.key.has_value() ? "a key with columns left out or masked" : "no key")),
        "deliver the key's columns, or say `history: true`: every change becomes a row of its own");
  }
  if (work.schema.key.size() > kMostKeyColumns) {
    return WithHint(
        absl::InvalidArgumentError(fmt::format("{}: BigQuery takes keys of at most {} columns, found {}",
                                               work.name, kMostKeyColumns, work.schema.key.size())),
        "say `history: true`");
  }
  return CheckKeyTypes(work);
}

}  // namespace

std::string_view LaneModeName(LaneMode mode) {
  switch (mode) {
    case LaneMode::kUpsert:
      return "upsert";
    case LaneMode::kSoft:
      return "soft";
    case LaneMode::kHistory:
      return "history";
  }
  return "";
}

absl::StatusOr<ProtoEncoder> LaneSchema::MakeEncoder() const {
  ProtoOptions options;
  if (changes_by_key()) {
    options.change_fields = ProtoOptions::ChangeFields::kTypeAndSequence;
    options.invalid_key = InvalidKey::kError;
  }
  return ProtoEncoder::Create(work.source, work.schema, options);
}

void LaneSchema::FillOwnCells(std::span<Cell> row, const RowFacts& facts) const {
  const size_t own = base.columns.size();
  if (mode == LaneMode::kSoft) row[own] = Cell::Integer(CellKind::kInt64, facts.deleted ? 1 : 0);
  if (mode != LaneMode::kHistory) return;
  row[own] = Cell::Text(CellKind::kString, facts.type);
  row[own + 1] = Cell::Text(CellKind::kString, facts.place);
  row[own + 2] =
      facts.commit_micros == 0 ? Cell::Null() : Cell::Integer(CellKind::kTimestamp, facts.commit_micros);
  row[own + 3] = facts.gtid.empty() ? Cell::Null() : Cell::Text(CellKind::kString, facts.gtid);
}

absl::StatusOr<LaneSchema> MakeLaneSchema(const Config& config, const TableOptions& options,
                                          SourceTable table) {
  LaneSchema schema;
  schema.work.name = table.database + "." + table.name;
  schema.work.options = options;
  schema.work.source = table;
  schema.base = std::move(table);
  schema.mode = options.history                     ? LaneMode::kHistory
                : options.deletes == Deletes::kSoft ? LaneMode::kSoft
                                                    : LaneMode::kUpsert;
  // Nothing tells its rows apart: each change stands for itself.
  if (!schema.base.key.has_value()) schema.mode = LaneMode::kHistory;
  HAKOBU_RETURN_IF_ERROR(MapTable(config, &schema.work));
  HAKOBU_RETURN_IF_ERROR(CheckKey(schema));
  HAKOBU_RETURN_IF_ERROR(AddOwnColumns(&schema));
  if (!schema.changes_by_key()) schema.work.schema.key.clear();
  return schema;
}

std::string LaneTableResource(const LaneSchema& schema) {
  nlohmann::json resource = nlohmann::json::parse(TargetResource(schema.work), nullptr, false);
  if (schema.changes_by_key()) {
    std::vector<std::string> key;
    for (const size_t place : schema.work.schema.key) key.push_back(schema.work.schema.fields[place].name);
    resource["tableConstraints"]["primaryKey"]["columns"] = key;
  }
  return resource.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace hakobu
