// Every dataset and table: an index in memory, written through to DuckDB in the same transaction as the rows
// it describes. Answers come as shared snapshots that never change; a change makes a new snapshot.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "localbq/catalog/names.h"
#include "localbq/catalog/schema.h"

namespace hakobu::localbq {

class Connection;
class Warehouse;

struct Dataset {
  DatasetId id;
  std::string location = "US";
  std::string friendly_name, description;
  std::map<std::string, std::string> labels;
  std::string access = "[]";  // REST's access[], as JSON text
  int64_t default_table_expiration_ms = 0;
  std::string other = "{}";  // every other REST field, as given: JSON text
  std::string etag;          // set by the catalog, as the times are
  int64_t created_ms = 0, modified_ms = 0;
};

enum class TableType : uint8_t { kTable, kView, kMaterializedView, kExternal, kSnapshot };

struct ForeignKey {
  std::string name;
  TableId referenced;
  std::vector<std::pair<std::string, std::string>> columns;  // {referencing, referenced}
};
struct TimePartitioning {
  std::string type = "DAY";  // HOUR, DAY, MONTH, YEAR
  std::string column;        // empty: by ingestion time
  int64_t expiration_ms = 0;
};
struct RangePartitioning {
  std::string column;
  int64_t start = 0, end = 0, interval = 0;
};

struct Table {
  TableId id;
  TableType type = TableType::kTable;
  // Differs for every table ever created: a drop and re-create under the same name gets another. Never 0 once
  // made.
  int64_t generation = 0;
  int64_t schema_version = 0;  // grows with every change of columns
  int64_t incarnation = 0;     // grows when its rows and description are replaced; of this process
  Schema schema;
  std::vector<std::string> primary_key;
  std::vector<ForeignKey> foreign_keys;
  std::optional<TimePartitioning> time_partitioning;
  std::optional<RangePartitioning> range_partitioning;
  std::vector<std::string> clustering;
  bool require_partition_filter = false;
  std::string friendly_name, description;
  std::map<std::string, std::string> labels;
  std::string max_staleness;  // an INTERVAL's text, "0-0 0 0:10:0"; empty: none
  int64_t expiration_ms = 0;  // since 1970; 0: never
  std::string view_query;     // GoogleSQL, of a view
  std::string other = "{}";   // every other REST field, as given: JSON text
  std::string etag;
  int64_t created_ms = 0, modified_ms = 0;
};

using DatasetPtr = std::shared_ptr<const Dataset>;
using TablePtr = std::shared_ptr<const Table>;

// Thread-safe. Errors carry Google's texts: NotFound "Not found: Table p:d.t", AlreadyExists "Already Exists:
// Dataset p:d", FailedPrecondition "Precondition check failed." (an etag that does not match; REST's 412),
// InvalidArgument otherwise.
class Catalog {
 public:
  static absl::StatusOr<std::unique_ptr<Catalog>> Open(Warehouse* warehouse);

  absl::StatusOr<DatasetPtr> GetDataset(const DatasetId& id) const;
  std::vector<DatasetPtr> ListDatasets(std::string_view project) const;  // by name
  std::vector<std::string> ListProjects() const;
  absl::StatusOr<DatasetPtr> CreateDataset(Dataset dataset);
  // `change` edits a copy; its error is passed on. `if_match`: the etag the caller saw; empty or "*": any.
  absl::StatusOr<DatasetPtr> UpdateDataset(const DatasetId& id, std::string_view if_match,
                                           absl::FunctionRef<absl::Status(Dataset&)> change);
  // With tables in it and without `delete_contents`: InvalidArgument "Dataset p:d is still in use".
  absl::Status DeleteDataset(const DatasetId& id, bool delete_contents);

  // A table whose expiration has passed is not found, and dropped.
  absl::StatusOr<TablePtr> GetTable(const TableId& id) const;
  absl::StatusOr<std::vector<TablePtr>> ListTables(const DatasetId& id) const;  // by name
  absl::StatusOr<TablePtr> CreateTable(Table table);
  // Edits a copy with `change`, then alters the DuckDB table so that it follows: columns added, dropped,
  // relaxed, widened. A column that has another name afterwards is a drop and an add, unless `renames` ({old,
  // new}) says so. Any schema change is carried out: what REST forbids, REST refuses (CheckSchemaUpdate).
  absl::StatusOr<TablePtr> UpdateTable(const TableId& id, std::string_view if_match,
                                       absl::FunctionRef<absl::Status(Table&)> change,
                                       const std::vector<std::pair<std::string, std::string>>& renames = {});
  absl::Status DeleteTable(const TableId& id);
  // ALTER TABLE … RENAME TO.
  absl::StatusOr<TablePtr> RenameTable(const TableId& id, std::string_view new_name);

  // Where ReplaceTable's rows go: an empty DuckDB table of the new schema.
  struct NewRows {
    std::string quoted;         // for SQL: "p:d"."t~new"
    std::string schema, table;  // for an Appender
  };
  enum class Replacement : uint8_t {
    kTable,  // the object stays, with another description: WRITE_TRUNCATE
    kRows,   // and keeps its description: WRITE_TRUNCATE_DATA
    kCopy,   // as kTable; when there is none yet, it takes no defaults of its dataset: a copy
    kMade,   // another object takes its name, with a generation and creation time of its own: CREATE OR
             // REPLACE
  };
  // Replaces a table's rows and description in one transaction, or creates it. `fill` puts the new rows into
  // an empty table that then takes the old one's place; until the commit, queries (also those in `fill`) see
  // the old rows.
  absl::StatusOr<TablePtr> ReplaceTable(Table table, Replacement how,
                                        absl::FunctionRef<absl::Status(Connection&, const NewRows&)> fill);

  // Rows of one table change in a transaction that `work` fills, while the table cannot be altered or
  // dropped. `expected_generation` 0: whichever is there now. A table that is gone or another: NotFound.
  // Conflicts are retried, so `work` may run more than once. Many may write one table at the same time.
  enum class Writer : uint8_t { kJob, kStream };
  absl::Status Write(const TableId& id, int64_t expected_generation,
                     absl::FunctionRef<absl::Status(Connection&, const Table&)> work,
                     Writer writer = Writer::kJob);

  // Called in the transaction of Write and ReplaceTable after `work` or `fill`, for partitioned tables: may
  // refuse or remove rows of `relation` (quoted). Set before serving.
  using RowsHook =
      std::function<absl::Status(Connection&, const Table&, const std::string& relation, Writer)>;
  void OnRowsWritten(RowsHook hook) { rows_hook_ = std::move(hook); }

  // Called inside the transaction that drops, empties or replaces a table's rows, before the commit, so that
  // state kept beside the table (tombstones, sequence numbers, streams) goes with them. Set before serving.
  using ContentsHook = std::function<absl::Status(Connection&, const Table&)>;
  void OnContentsDropped(ContentsHook hook) { contents_hook_ = std::move(hook); }

  // For tables that keep more rows beside their own, which an alteration is to take along. `begin` is called
  // before the table is locked, and what it answers is kept until the end: called with `connection` null once
  // the table is locked, and again in the transaction that alters it, before its own statements.
  using Alteration =
      std::function<absl::Status(Connection* connection, const Table& before, const Table& after,
                                 const std::vector<std::pair<std::string, std::string>>& renames)>;
  using AlterHook = std::function<Alteration(const TableId& id)>;
  void OnAlter(AlterHook begin) { alter_hook_ = std::move(begin); }

  // Called when a table is made (`before` null), changed or dropped (`after` null), after the commit. Must
  // not call the catalog. Set before serving.
  using ChangeHook = std::function<void(const TablePtr& before, const TablePtr& after)>;
  void OnTableChanged(ChangeHook hook) { change_hook_ = std::move(hook); }

  // Called for a table that is not there, which it may make. Set before serving; empty again to take it away.
  using MissingHook = std::function<void(const TableId& id)>;
  void OnMissing(MissingHook hook) { missing_hook_ = std::move(hook); }

  // What to read a table's rows from, for SELECT … FROM: its quoted DuckDB relation, or what the hook says,
  // for tables whose changes are merged when they are read. Set before serving.
  using SourceHook = std::function<absl::StatusOr<std::string>(const Table&)>;
  void OnRead(SourceHook hook) { source_hook_ = std::move(hook); }
  absl::StatusOr<std::string> ReadSource(const Table& table) const {
    if (source_hook_) return source_hook_(table);
    return DuckDbName(table.id);
  }

  // Held shared while rows are written (Write does it), exclusively while a table is altered. One per table
  // name, kept over drop and re-create. For those who need it longer than one Write.
  std::shared_ptr<absl::Mutex> TableLock(const TableId& id) const;

  Warehouse* warehouse() const { return warehouse_; }

 private:
  struct DatasetEntry {
    DatasetPtr dataset;
    std::map<std::string, TablePtr, std::less<>> tables;
  };
  explicit Catalog(Warehouse* warehouse) : warehouse_(warehouse) {}
  absl::Status Load();
  absl::StatusOr<TablePtr> FindTable(const TableId& id) const;
  absl::Status CheckEtag(std::string_view if_match, std::string_view etag) const;
  void Stamp(Table* table);
  void Put(const TablePtr& table);
  void Remove(const TableId& id);
  absl::Status DropLocked(const TablePtr& table);
  absl::Status LookAtRows(Connection& connection, const Table& table, const std::string& relation,
                          Writer writer) const;

  Warehouse* const warehouse_;
  ContentsHook contents_hook_;
  RowsHook rows_hook_;
  AlterHook alter_hook_;
  SourceHook source_hook_;
  ChangeHook change_hook_;
  MissingHook missing_hook_;
  absl::Mutex dataset_changes_;  // one at a time; taken before any other lock
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<DatasetId, DatasetEntry> datasets_ ABSL_GUARDED_BY(mutex_);
  mutable absl::flat_hash_map<TableId, std::shared_ptr<absl::Mutex>> locks_ ABSL_GUARDED_BY(mutex_);
  int64_t last_generation_ ABSL_GUARDED_BY(mutex_) = 0;
};

// REST's Dataset and Table resources, both ways. FromJson takes what a client may write and answers
// InvalidArgument in Google's words; reading and writing again loses no field. `numRows` and the like, which
// only the rows know, are added by REST.
nlohmann::json ToJson(const Dataset& dataset);
nlohmann::json ToJson(const Table& table);
absl::StatusOr<Dataset> DatasetFromJson(const nlohmann::json& resource, const DatasetId& id);
absl::StatusOr<Table> TableFromJson(const nlohmann::json& resource, const TableId& id);

// Whether `after` may follow `before` by tables.update, tables.patch or schemaUpdateOptions: columns added
// that are not REQUIRED, REQUIRED relaxed. InvalidArgument "Provided Schema does not match Table p:d.t. …"
// otherwise.
absl::Status CheckSchemaUpdate(const TableId& id, const Schema& before, const Schema& after);

// Whether the columns may be a primary key. Source:
// https://cloud.google.com/bigquery/docs/primary-foreign-keys
absl::Status CheckPrimaryKey(const Schema& schema, const std::vector<std::string>& key);

// A failed Write to a table that was dropped or re-created meanwhile, in Google's words.
absl::Status NotFoundTable(const TableId& id);

}  // namespace hakobu::localbq
