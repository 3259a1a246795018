#include "localbq/catalog/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/random/random.h"
#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "localbq/catalog/partitions.h"
#include "localbq/catalog/table_change.h"
#include "localbq/catalog/warehouse.h"

namespace hakobu::localbq {
namespace {

using nlohmann::json;

constexpr const char* kCreateStore[] = {
    "CREATE SCHEMA IF NOT EXISTS hakobu",
    "CREATE TABLE IF NOT EXISTS hakobu.datasets (project VARCHAR, dataset VARCHAR, resource VARCHAR)",
    "CREATE TABLE IF NOT EXISTS hakobu.tables (generation BIGINT, project VARCHAR, dataset VARCHAR, "
    "\"table\" VARCHAR, "
    "schema_version BIGINT, resource VARCHAR)",
};

int64_t NowMs() {
  return absl::ToUnixMillis(absl::Now());
}

// Google's look like base64 of a digest; ours is any 12 bytes that no other version has.
std::string NewEtag() {
  thread_local absl::BitGen random;
  std::string bytes;
  for (int i = 0; i < 12; ++i) bytes.push_back(static_cast<char>(absl::Uniform<uint8_t>(random)));
  return absl::WebSafeBase64Escape(bytes) + "==";
}

bool HasRows(const Table& table) {
  return table.type == TableType::kTable || table.type == TableType::kSnapshot;
}

absl::Status NotFoundDataset(const DatasetId& id) {
  return absl::NotFoundError(fmt::format("Not found: Dataset {}", DisplayName(id)));
}

absl::Status StoreDataset(Connection& connection, const Dataset& dataset) {
  HAKOBU_RETURN_IF_ERROR(
      connection.Run(fmt::format("DELETE FROM hakobu.datasets WHERE project = {} AND dataset = {}",
                                 QuotedLiteral(dataset.id.project), QuotedLiteral(dataset.id.dataset))));
  std::vector<Value> values;
  values.push_back(Value::Text(dataset.id.project));
  values.push_back(Value::Text(dataset.id.dataset));
  values.push_back(
      Value::Text(ToJson(dataset).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
  return connection.Query("INSERT INTO hakobu.datasets VALUES (?, ?, ?)", values).status();
}

absl::Status ForgetTable(Connection& connection, int64_t generation) {
  return connection.Run(fmt::format("DELETE FROM hakobu.tables WHERE generation = {}", generation));
}

absl::Status StoreTable(Connection& connection, const Table& table, bool is_new) {
  std::vector<Value> values;
  if (is_new) {
    values.push_back(Value::Int64(table.generation));
    values.push_back(Value::Text(table.id.project));
    values.push_back(Value::Text(table.id.dataset));
  }
  values.push_back(Value::Text(table.id.table));
  values.push_back(Value::Int64(table.schema_version));
  values.push_back(Value::Text(ToJson(table).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
  if (is_new) return connection.Query("INSERT INTO hakobu.tables VALUES (?, ?, ?, ?, ?, ?)", values).status();
  return connection
      .Query(fmt::format("UPDATE hakobu.tables SET \"table\" = ?, schema_version = ?, resource = ? WHERE "
                         "generation = {}",
                         table.generation),
             values)
      .status();
}

}  // namespace

absl::Status NotFoundTable(const TableId& id) {
  return absl::NotFoundError(fmt::format("Not found: Table {}", DisplayName(id)));
}

absl::StatusOr<std::unique_ptr<Catalog>> Catalog::Open(Warehouse* warehouse) {
  std::unique_ptr<Catalog> catalog(new Catalog(warehouse));
  HAKOBU_RETURN_IF_ERROR(Annotate(catalog->Load(), "load the catalog"));
  return catalog;
}

absl::Status Catalog::Load() {
  HAKOBU_ASSIGN_OR_RETURN(const Warehouse::Lease connection, warehouse_->Connect());
  for (const char* statement : kCreateStore) HAKOBU_RETURN_IF_ERROR(connection->Run(statement));
  const auto text = [](const Chunk& chunk, idx_t column, idx_t row) {
    auto* data = static_cast<duckdb_string_t*>(duckdb_vector_get_data(chunk.column(column)));
    return std::string(duckdb_string_t_data(&data[row]), duckdb_string_t_length(data[row]));
  };
  const auto number = [](const Chunk& chunk, idx_t column, idx_t row) {
    return static_cast<int64_t*>(duckdb_vector_get_data(chunk.column(column)))[row];
  };
  absl::MutexLock lock(&mutex_);
  HAKOBU_ASSIGN_OR_RETURN(Result datasets,
                          connection->Query("SELECT project, dataset, resource FROM hakobu.datasets"));
  while (const std::optional<Chunk> chunk = datasets.Next()) {
    for (idx_t row = 0; row < chunk->rows(); ++row) {
      const DatasetId id{text(*chunk, 0, row), text(*chunk, 1, row)};
      HAKOBU_ASSIGN_OR_RETURN(Dataset dataset, DatasetFromJson(json::parse(text(*chunk, 2, row)), id));
      datasets_[id].dataset = std::make_shared<const Dataset>(std::move(dataset));
    }
  }
  HAKOBU_ASSIGN_OR_RETURN(
      Result tables,
      connection->Query("SELECT generation, project, dataset, \"table\", schema_version, resource "
                        "FROM hakobu.tables"));
  while (const std::optional<Chunk> chunk = tables.Next()) {
    for (idx_t row = 0; row < chunk->rows(); ++row) {
      const TableId id{text(*chunk, 1, row), text(*chunk, 2, row), text(*chunk, 3, row)};
      HAKOBU_ASSIGN_OR_RETURN(Table table, TableFromJson(json::parse(text(*chunk, 5, row)), id));
      table.generation = number(*chunk, 0, row);
      table.schema_version = number(*chunk, 4, row);
      last_generation_ = std::max(last_generation_, table.generation);
      datasets_[id.parent()].tables[id.table] = std::make_shared<const Table>(std::move(table));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<DatasetPtr> Catalog::GetDataset(const DatasetId& id) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto found = datasets_.find(id);
  if (found == datasets_.end()) return NotFoundDataset(id);
  return found->second.dataset;
}

std::vector<DatasetPtr> Catalog::ListDatasets(std::string_view project) const {
  std::vector<DatasetPtr> datasets;
  {
    absl::ReaderMutexLock lock(&mutex_);
    for (const auto& [id, entry] : datasets_) {
      if (id.project == project) datasets.push_back(entry.dataset);
    }
  }
  std::ranges::sort(datasets, {}, [](const DatasetPtr& dataset) -> const DatasetId& { return dataset->id; });
  return datasets;
}

std::vector<std::string> Catalog::ListProjects() const {
  std::vector<std::string> projects;
  {
    absl::ReaderMutexLock lock(&mutex_);
    for (const auto& [id, entry] : datasets_) projects.push_back(id.project);
  }
  std::ranges::sort(projects);
  projects.erase(std::ranges::unique(projects).begin(), projects.end());
  return projects;
}

absl::StatusOr<DatasetPtr> Catalog::CreateDataset(Dataset dataset) {
  HAKOBU_RETURN_IF_ERROR(CheckDatasetName(dataset.id.dataset));
  dataset.etag = NewEtag();
  dataset.created_ms = dataset.modified_ms = NowMs();
  const DatasetId id = dataset.id;
  absl::MutexLock metadata(&dataset_changes_);
  if (GetDataset(id).ok()) {
    return absl::AlreadyExistsError(fmt::format("Already Exists: Dataset {}", DisplayName(id)));
  }
  const absl::Status stored = warehouse_->InTransaction([&](Connection& connection) -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(connection.Run("CREATE SCHEMA " + DuckDbName(id)));
    return StoreDataset(connection, dataset);
  });
  HAKOBU_RETURN_IF_ERROR(stored);
  auto snapshot = std::make_shared<const Dataset>(std::move(dataset));
  absl::MutexLock lock(&mutex_);
  datasets_[id].dataset = snapshot;
  return snapshot;
}

absl::Status Catalog::CheckEtag(std::string_view if_match, std::string_view etag) const {
  if (if_match.empty() || if_match == "*" || if_match == etag) return absl::OkStatus();
  return absl::FailedPreconditionError("Precondition check failed.");
}

absl::StatusOr<DatasetPtr> Catalog::UpdateDataset(const DatasetId& id, std::string_view if_match,
                                                  absl::FunctionRef<absl::Status(Dataset&)> change) {
  absl::MutexLock metadata(&dataset_changes_);
  HAKOBU_ASSIGN_OR_RETURN(const DatasetPtr before, GetDataset(id));
  HAKOBU_RETURN_IF_ERROR(CheckEtag(if_match, before->etag));
  Dataset dataset = *before;
  HAKOBU_RETURN_IF_ERROR(change(dataset));
  dataset.id = id;
  dataset.created_ms = before->created_ms;
  dataset.etag = NewEtag();
  dataset.modified_ms = NowMs();
  HAKOBU_RETURN_IF_ERROR(
      warehouse_->InTransaction([&](Connection& connection) { return StoreDataset(connection, dataset); }));
  auto snapshot = std::make_shared<const Dataset>(std::move(dataset));
  absl::MutexLock lock(&mutex_);
  datasets_[id].dataset = snapshot;
  return snapshot;
}

absl::Status Catalog::DeleteDataset(const DatasetId& id, bool delete_contents) {
  absl::MutexLock metadata(&dataset_changes_);
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<TablePtr> tables, ListTables(id));
  if (!tables.empty() && !delete_contents) {
    return absl::InvalidArgumentError(fmt::format("Dataset {} is still in use", DisplayName(id)));
  }
  for (const TablePtr& table : tables) HAKOBU_RETURN_IF_ERROR(DeleteTable(table->id));
  const absl::Status stored = warehouse_->InTransaction([&](Connection& connection) -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(connection.Run(fmt::format("DROP SCHEMA IF EXISTS {} CASCADE", DuckDbName(id))));
    return connection.Run(fmt::format("DELETE FROM hakobu.datasets WHERE project = {} AND dataset = {}",
                                      QuotedLiteral(id.project), QuotedLiteral(id.dataset)));
  });
  HAKOBU_RETURN_IF_ERROR(stored);
  absl::MutexLock lock(&mutex_);
  datasets_.erase(id);
  return absl::OkStatus();
}

absl::StatusOr<TablePtr> Catalog::FindTable(const TableId& id) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto dataset = datasets_.find(id.parent());
  if (dataset == datasets_.end()) return NotFoundDataset(id.parent());
  const auto table = dataset->second.tables.find(id.table);
  if (table == dataset->second.tables.end()) return NotFoundTable(id);
  return table->second;
}

absl::StatusOr<TablePtr> Catalog::GetTable(const TableId& id) const {
  absl::StatusOr<TablePtr> found = FindTable(id);
  if (!found.ok() && missing_hook_) {
    missing_hook_(id);
    found = FindTable(id);
  }
  if (!found.ok()) return found.status();
  TablePtr table = *std::move(found);
  if (table->expiration_ms != 0 && table->expiration_ms <= NowMs()) return NotFoundTable(id);
  return table;
}

absl::StatusOr<std::vector<TablePtr>> Catalog::ListTables(const DatasetId& id) const {
  const int64_t now_ms = NowMs();
  absl::ReaderMutexLock lock(&mutex_);
  const auto dataset = datasets_.find(id);
  if (dataset == datasets_.end()) return NotFoundDataset(id);
  std::vector<TablePtr> tables;
  tables.reserve(dataset->second.tables.size());
  for (const auto& [name, table] : dataset->second.tables) {
    if (table->expiration_ms == 0 || table->expiration_ms > now_ms) tables.push_back(table);
  }
  return tables;
}

std::shared_ptr<absl::Mutex> Catalog::TableLock(const TableId& id) const {
  absl::MutexLock lock(&mutex_);
  std::shared_ptr<absl::Mutex>& table_lock = locks_[id];
  if (!table_lock) table_lock = std::make_shared<absl::Mutex>();
  return table_lock;
}

void Catalog::Stamp(Table* table) {
  table->modified_ms = NowMs();
  table->etag = NewEtag();
  if (table->generation != 0) return;
  table->created_ms = table->modified_ms;
  absl::MutexLock lock(&mutex_);
  last_generation_ = std::max(last_generation_ + 1, absl::ToUnixMicros(absl::Now()));
  table->generation = last_generation_;
}

void Catalog::Put(const TablePtr& table) {
  absl::MutexLock lock(&mutex_);
  const auto dataset = datasets_.find(table->id.parent());
  if (dataset == datasets_.end()) return;
  TablePtr& entry = dataset->second.tables[table->id.table];
  const TablePtr before = std::exchange(entry, table);
  if (change_hook_) change_hook_(before, table);
}

void Catalog::Remove(const TableId& id) {
  absl::MutexLock lock(&mutex_);
  const auto dataset = datasets_.find(id.parent());
  if (dataset == datasets_.end()) return;
  const auto found = dataset->second.tables.find(id.table);
  if (found == dataset->second.tables.end()) return;
  const TablePtr before = found->second;
  dataset->second.tables.erase(found);
  if (change_hook_) change_hook_(before, nullptr);
}

absl::Status Catalog::DropLocked(const TablePtr& table) {
  const absl::Status stored = warehouse_->InTransaction([&](Connection& connection) -> absl::Status {
    if (HasRows(*table)) {
      if (contents_hook_) HAKOBU_RETURN_IF_ERROR(contents_hook_(connection, *table));
      HAKOBU_RETURN_IF_ERROR(connection.Run("DROP TABLE IF EXISTS " + DuckDbName(table->id)));
    }
    return ForgetTable(connection, table->generation);
  });
  HAKOBU_RETURN_IF_ERROR(stored);
  Remove(table->id);
  return absl::OkStatus();
}

absl::StatusOr<TablePtr> Catalog::CreateTable(Table table) {
  HAKOBU_RETURN_IF_ERROR(CheckTableName(table.id.table));
  HAKOBU_RETURN_IF_ERROR(CheckColumnNames(table.schema));
  const std::shared_ptr<absl::Mutex> table_lock = TableLock(table.id);
  absl::MutexLock lock(table_lock.get());
  HAKOBU_ASSIGN_OR_RETURN(const DatasetPtr dataset, GetDataset(table.id.parent()));
  if (const absl::StatusOr<TablePtr> there = FindTable(table.id); there.ok()) {
    if (GetTable(table.id).ok()) {
      return absl::AlreadyExistsError(fmt::format("Already Exists: Table {}", DisplayName(table.id)));
    }
    HAKOBU_RETURN_IF_ERROR(DropLocked(*there));
  }
  table.generation = 0;
  table.schema_version = 1;
  Stamp(&table);
  TakeDatasetDefaults(*dataset, &table);
  const absl::Status stored = warehouse_->InTransaction([&](Connection& connection) -> absl::Status {
    if (HasRows(table))
      HAKOBU_RETURN_IF_ERROR(connection.Run(CreateTableSql(DuckDbName(table.id), table.schema)));
    return StoreTable(connection, table, /*is_new=*/true);
  });
  HAKOBU_RETURN_IF_ERROR(stored);
  auto snapshot = std::make_shared<const Table>(std::move(table));
  Put(snapshot);
  return snapshot;
}

absl::StatusOr<TablePtr> Catalog::UpdateTable(const TableId& id, std::string_view if_match,
                                              absl::FunctionRef<absl::Status(Table&)> change,
                                              const Renames& renames) {
  const Alteration alteration = alter_hook_ ? alter_hook_(id) : Alteration();
  const std::shared_ptr<absl::Mutex> table_lock = TableLock(id);
  absl::MutexLock lock(table_lock.get());
  HAKOBU_ASSIGN_OR_RETURN(const TablePtr before, GetTable(id));
  HAKOBU_RETURN_IF_ERROR(CheckEtag(if_match, before->etag));
  Table table = *before;
  HAKOBU_RETURN_IF_ERROR(change(table));
  HAKOBU_RETURN_IF_ERROR(CheckColumnNames(table.schema));
  table.id = id;
  table.type = before->type;
  table.created_ms = before->created_ms;
  table.generation = before->generation;
  Stamp(&table);
  std::vector<std::string> statements;
  if (table.schema != before->schema) {
    table.schema = WithNewColumnsLast(before->schema, std::move(table.schema), renames);
    table.schema_version = before->schema_version + 1;
    if (HasRows(table)) {
      HAKOBU_ASSIGN_OR_RETURN(statements, AlterSql(id, before->schema, table.schema, renames));
    }
  }
  const bool takes_along = alteration && table.schema != before->schema;
  if (takes_along) HAKOBU_RETURN_IF_ERROR(alteration(nullptr, *before, table, renames));
  const absl::Status stored = warehouse_->InTransaction([&](Connection& connection) -> absl::Status {
    if (takes_along) HAKOBU_RETURN_IF_ERROR(alteration(&connection, *before, table, renames));
    for (const std::string& statement : statements) HAKOBU_RETURN_IF_ERROR(connection.Run(statement));
    return StoreTable(connection, table, /*is_new=*/false);
  });
  HAKOBU_RETURN_IF_ERROR(stored);
  auto snapshot = std::make_shared<const Table>(std::move(table));
  Put(snapshot);
  return snapshot;
}

absl::Status Catalog::DeleteTable(const TableId& id) {
  const std::shared_ptr<absl::Mutex> table_lock = TableLock(id);
  absl::MutexLock lock(table_lock.get());
  HAKOBU_ASSIGN_OR_RETURN(const TablePtr table, GetTable(id));
  return DropLocked(table);
}

absl::StatusOr<TablePtr> Catalog::RenameTable(const TableId& id, std::string_view new_name) {
  HAKOBU_RETURN_IF_ERROR(CheckTableName(new_name));
  const TableId new_id{id.project, id.dataset, std::string(new_name)};
  if (new_id == id) return GetTable(id);
  const std::shared_ptr<absl::Mutex> first = TableLock(std::min(id, new_id));
  const std::shared_ptr<absl::Mutex> second = TableLock(std::max(id, new_id));
  absl::MutexLock first_lock(first.get());
  absl::MutexLock second_lock(second.get());
  HAKOBU_ASSIGN_OR_RETURN(const TablePtr before, GetTable(id));
  if (FindTable(new_id).ok()) {
    return absl::AlreadyExistsError(fmt::format("Already Exists: Table {}", DisplayName(new_id)));
  }
  Table table = *before;
  table.id = new_id;
  Stamp(&table);
  const absl::Status stored = warehouse_->InTransaction([&](Connection& connection) -> absl::Status {
    if (HasRows(table)) {
      HAKOBU_RETURN_IF_ERROR(connection.Run(
          fmt::format("ALTER TABLE {} RENAME TO {}", DuckDbName(id), Quoted(DuckDbTableName(new_id.table)))));
    }
    return StoreTable(connection, table, /*is_new=*/false);
  });
  HAKOBU_RETURN_IF_ERROR(stored);
  Remove(id);
  auto snapshot = std::make_shared<const Table>(std::move(table));
  Put(snapshot);
  return snapshot;
}

absl::StatusOr<TablePtr> Catalog::ReplaceTable(
    Table table, Replacement how, absl::FunctionRef<absl::Status(Connection&, const NewRows&)> fill) {
  HAKOBU_RETURN_IF_ERROR(CheckTableName(table.id.table));
  HAKOBU_RETURN_IF_ERROR(CheckColumnNames(table.schema));
  const std::shared_ptr<absl::Mutex> table_lock = TableLock(table.id);
  absl::MutexLock lock(table_lock.get());
  HAKOBU_ASSIGN_OR_RETURN(const DatasetPtr dataset, GetDataset(table.id.parent()));
  const absl::StatusOr<TablePtr> found = FindTable(table.id);
  const TablePtr before = found.ok() ? *found : nullptr;
  const bool stays = before != nullptr && how != Replacement::kMade;
  table.generation = stays ? before->generation : 0;
  table.created_ms = stays ? before->created_ms : 0;
  table.schema_version = stays ? before->schema_version + (table.schema == before->schema ? 0 : 1) : 1;
  table.incarnation = stays ? before->incarnation + (how == Replacement::kRows ? 0 : 1) : 0;
  Stamp(&table);
  if (!stays && how != Replacement::kCopy) TakeDatasetDefaults(*dataset, &table);
  const NewRows rows{DuckDbName(table.id.parent()) + "." + Quoted(DuckDbTableName(table.id.table) + "~new"),
                     DuckDbSchemaName(table.id.parent()), DuckDbTableName(table.id.table) + "~new"};
  const absl::Status stored = warehouse_->InTransaction([&](Connection& connection) -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(connection.Run(CreateTableSql(rows.quoted, table.schema)));
    HAKOBU_RETURN_IF_ERROR(fill(connection, rows));
    HAKOBU_RETURN_IF_ERROR(LookAtRows(connection, table, rows.quoted, Writer::kJob));
    if (before && HasRows(*before)) {
      if (contents_hook_) HAKOBU_RETURN_IF_ERROR(contents_hook_(connection, *before));
      HAKOBU_RETURN_IF_ERROR(connection.Run("DROP TABLE " + DuckDbName(table.id)));
    }
    HAKOBU_RETURN_IF_ERROR(connection.Run(
        fmt::format("ALTER TABLE {} RENAME TO {}", rows.quoted, Quoted(DuckDbTableName(table.id.table)))));
    if (before && !stays) HAKOBU_RETURN_IF_ERROR(ForgetTable(connection, before->generation));
    return StoreTable(connection, table, /*is_new=*/!stays);
  });
  HAKOBU_RETURN_IF_ERROR(stored);
  auto snapshot = std::make_shared<const Table>(std::move(table));
  Put(snapshot);
  return snapshot;
}

absl::Status Catalog::Write(const TableId& id, int64_t expected_generation,
                            absl::FunctionRef<absl::Status(Connection&, const Table&)> work, Writer writer) {
  const std::shared_ptr<absl::Mutex> table_lock = TableLock(id);
  absl::ReaderMutexLock lock(table_lock.get());
  HAKOBU_ASSIGN_OR_RETURN(const TablePtr table, GetTable(id));
  if (expected_generation != 0 && table->generation != expected_generation) return NotFoundTable(id);
  return warehouse_->InTransaction([&](Connection& connection) -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(work(connection, *table));
    return LookAtRows(connection, *table, DuckDbName(id), writer);
  });
}

absl::Status Catalog::LookAtRows(Connection& connection, const Table& table, const std::string& relation,
                                 Writer writer) const {
  if (!rows_hook_ || !(table.time_partitioning || table.range_partitioning)) return absl::OkStatus();
  return rows_hook_(connection, table, relation, writer);
}

}  // namespace hakobu::localbq
