#include "localbq/storage_api/table_watch.h"

#include <fmt/format.h>

#include "base/status.h"
#include "localbq/storage_api/storage_error.h"

namespace hakobu::localbq {
namespace {

absl::Status TableNotFound(const TableId& id, std::string_view entity) {
  return StorageStatus(absl::StatusCode::kNotFound, StorageErrorCode::kTableNotFound,
                       fmt::format("Requested entity was not found. Table {} is not found.", DisplayName(id)),
                       entity);
}

absl::Status TableChanged(const TableId& id, std::string_view what, std::string_view entity) {
  return StorageStatus(absl::StatusCode::kNotFound, StorageErrorCode::kTableNotFound,
                       fmt::format("Table {} is {}.", DisplayName(id), what), entity);
}

// Columns of `before` that `now` lacks.
Schema Dropped(const Schema& before, const Schema& now) {
  Schema dropped;
  for (const Column& column : before) {
    if (FindColumn(now, column.name) == nullptr) dropped.push_back(column);
  }
  return dropped;
}

bool HasNewColumn(const Schema& before, const Schema& now) {
  return !Dropped(now, before).empty();
}

}  // namespace

absl::Status WriteDenied(std::string_view permission, const TableId& table) {
  return absl::PermissionDeniedError(fmt::format(
      "Permission '{}' denied on resource '{}' (or it may not exist).", permission, TablePath(table)));
}

absl::StatusOr<TablePtr> FindWriteTable(Catalog& catalog, Faults& faults, const TableId& id,
                                        std::string_view method, std::string_view entity) {
  absl::StatusOr<TablePtr> table = catalog.GetTable(id);
  if (!table.ok() && faults.Has(Behaviour::kMaskedDenials)) {
    return WriteDenied(method == "AppendRows" ? "TABLES_GET" : "TABLES_UPDATE_DATA", id);
  }
  if (!table.ok()) return TableNotFound(id, entity);
  if (faults.tables().DeniesWrite(**table, method)) return WriteDenied("TABLES_UPDATE_DATA", id);
  return table;
}

absl::StatusOr<TableWatch> TableWatch::Open(Catalog* catalog, Faults* faults, const StreamName& name,
                                            std::string_view path, const WriteStreamPtr& stream) {
  TableWatch watch(catalog, faults, name, std::string(path));
  // Explicit streams' appends are never denied, as it was measured.
  absl::StatusOr<TablePtr> table = catalog->GetTable(name.table);
  if (stream == nullptr) {
    HAKOBU_ASSIGN_OR_RETURN(table, FindWriteTable(*catalog, *faults, name.table, "AppendRows", path));
  }
  if (!table.ok()) return TableNotFound(name.table, path);
  if (faults->IsRecreated(**table)) return TableChanged(name.table, "re-created", path);
  if (faults->tables().RefusesWriters(**table)) {
    return TableChanged(name.table, (*table)->incarnation > 0 ? "truncated" : "re-created", path);
  }
  watch.generation_ = stream == nullptr ? (*table)->generation : stream->generation;
  watch.incarnation_ = (*table)->incarnation;
  watch.opened_version_ = (*table)->schema_version;
  watch.Follow(*table);
  return watch;
}

absl::Status TableWatch::Refresh() {
  const auto now = catalog_->GetTable(name_.table);
  if (!now.ok()) return TableNotFound(name_.table, path_);
  if (faults_->IsRecreated(**now)) return TableChanged(name_.table, "re-created", path_);
  if ((*now)->generation != generation_ || (*now)->incarnation != incarnation_) {
    if (faults_->Has(Behaviour::kReplacedTables)) return OnReplaced();
    if ((*now)->generation != generation_) return TableChanged(name_.table, "re-created", path_);
    incarnation_ = (*now)->incarnation;
  }
  Follow(*now);
  return absl::OkStatus();
}

// Rows are taken for a while; then an append waits, and the connection ends.
absl::Status TableWatch::OnReplaced() {
  const Behaviours& behaviours = faults_->behaviours();
  const absl::Duration age = behaviours.Now() - faults_->tables().Replaced(name_.table);
  loses_rows_ = true;
  if (age < behaviours.Length(Delay::kReplacedLoss)) return absl::OkStatus();
  faults_->Delay(behaviours.Length(Delay::kReplacedHang));
  return WithEntity(absl::DeadlineExceededError("Deadline exceeded while waiting for the append."), path_);
}

void TableWatch::Follow(TablePtr now) {
  const Behaviours& behaviours = faults_->behaviours();
  TableHistory& history = faults_->tables();
  const bool is_open = now->schema_version != opened_version_;
  TablePtr stale = faults_->StaleTable(*now);
  if (!stale && now == table_ && is_settled_) return;
  if (!stale && behaviours.Has(Behaviour::kWriteSchemaLag)) {
    stale = history.ChangedWithin(
        *now, behaviours.Length(is_open ? Delay::kWriteSchemaOpen : Delay::kWriteSchemaNew));
    if (stale && !HasNewColumn(stale->schema, now->schema)) stale = nullptr;
  }
  TablePtr strict;
  if (behaviours.Has(Behaviour::kRelaxationLag)) {
    strict = history.ChangedWithin(
        *now, behaviours.Length(is_open ? Delay::kRelaxationOpen : Delay::kRelaxationNew));
  }
  TablePtr former;
  if (is_open && behaviours.Has(Behaviour::kDroppedColumns)) {
    former = history.ChangedWithin(*now, behaviours.Length(Delay::kDroppedColumn));
  }
  Schema columns = now->schema;
  for (Column& column : columns) {
    const Column* before = strict ? FindColumn(strict->schema, column.name) : nullptr;
    if (before != nullptr && before->mode == Mode::kRequired && column.mode == Mode::kNullable)
      column.mode = Mode::kRequired;
  }
  Schema lost = former ? Dropped(former->schema, now->schema) : Schema();
  const bool is_same = table_ != nullptr && table_->schema_version == now->schema_version;
  if (!is_same || columns != columns_ || lost != lost_columns_) ++version_;
  columns_ = std::move(columns);
  lost_columns_ = std::move(lost);
  is_settled_ = !stale && !strict && !former;
  stale_ = std::move(stale);
  table_ = std::move(now);
}

}  // namespace hakobu::localbq
