// Copy jobs.
// Source: https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationTableCopy
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/catalog/publish.h"
#include "localbq/faults/faults.h"
#include "localbq/rest/access.h"
#include "localbq/rest/dispositions.h"
#include "localbq/rest/jobs.h"
#include "localbq/rest/service.h"
#include "localbq/storage_api/change_log.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

absl::StatusOr<std::vector<TablePtr>> FindSources(const Service& service, const json& copy, const Job& job) {
  json references = json::array();
  if (copy.contains("sourceTables") && copy["sourceTables"].is_array()) references = copy["sourceTables"];
  if (const json& single = Child(copy, "sourceTable"); !single.empty()) references.push_back(single);
  if (references.empty()) {
    return WithReason(absl::InvalidArgumentError("Required parameter is missing: sourceTable"), "required");
  }
  std::vector<TablePtr> sources;
  for (const json& reference : references) {
    HAKOBU_ASSIGN_OR_RETURN(const TableId id, TableFromReference(reference, job.project));
    HAKOBU_RETURN_IF_ERROR(auth::Check(service.authority, job.identity, "bigquery.tables.getData",
                                       {id.project, id.dataset, id.table}));
    HAKOBU_ASSIGN_OR_RETURN(TablePtr source, service.catalog->GetTable(id));
    HAKOBU_RETURN_IF_ERROR(CheckSource(service, job, *source));
    if (source->type == TableType::kView || source->type == TableType::kMaterializedView) {
      return absl::InvalidArgumentError(fmt::format("Cannot copy {}: it is a view", DisplayName(id)));
    }
    if (!sources.empty()) {
      const absl::Status same = CheckSchemaUpdate(id, source->schema, sources[0]->schema);
      if (!same.ok() || source->schema.size() != sources[0]->schema.size()) {
        return absl::InvalidArgumentError(fmt::format("Source tables have different schemas: {} and {}",
                                                      DisplayName(sources[0]->id), DisplayName(id)));
      }
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

struct CopySource {
  TablePtr table;
  std::string rows;  // a DuckDB relation
};

// The rows of all sources, in the target's order of columns. Their changes have been merged before the
// transaction, which would not see a merge made meanwhile.
absl::StatusOr<int64_t> CopyRows(Connection& connection, const std::vector<CopySource>& sources,
                                 const std::string& target) {
  int64_t rows = 0;
  for (const CopySource& source : sources) {
    std::string columns;
    for (const Column& column : source.table->schema) {
      columns += fmt::format("{}{}", columns.empty() ? "" : ", ", Quoted(column.name));
    }
    if (columns.empty()) continue;
    HAKOBU_ASSIGN_OR_RETURN(
        Result result, connection.Query(fmt::format("INSERT INTO {} ({}) SELECT {} FROM {}", target, columns,
                                                    columns, source.rows)));
    rows += result.rows_changed();
  }
  return rows;
}

// What the target is after a WRITE_TRUNCATE, or when it is made.
Table CopiedTable(const TableId& id, const Table& source, const TablePtr& before, bool losses,
                  const json& copy) {
  Table table = source;
  table.id = id;
  table.type = TableType::kTable;
  table.expiration_ms = 0;
  json other = json::parse(table.other);
  other.erase(kIamPolicyKey);
  if (losses) other.erase("encryptionConfiguration");
  table.other = other.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (before) KeepOverCopy(*before, source, losses, &table);
  if (const json& encryption = Child(copy, "destinationEncryptionConfiguration"); !encryption.empty()) {
    json with_key = json::parse(table.other);
    with_key["encryptionConfiguration"] = encryption;
    table.other = with_key.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  return table;
}

}  // namespace

// Rows that are appended get ever larger row ids: those streamed so lately that a copy does not see them are
// the last.
absl::StatusOr<std::string> RowsToCopy(const Service& service, const Table& source) {
  const std::string relation = DuckDbName(source.id);
  if (!service.faults->Has(Behaviour::kSkippedCopies)) {
    HAKOBU_RETURN_IF_ERROR(service.changes->Apply(source));
    return relation;
  }
  // Changes that no merge has taken yet are in the buffer, and stay there.
  const int64_t skipped =
      service.changes->IsActive(source) ? 0 : service.faults->tables().BufferedRows(source);
  if (skipped == 0) return relation;
  return fmt::format(
      "(SELECT * FROM {0} WHERE rowid NOT IN (SELECT rowid FROM {0} ORDER BY rowid DESC LIMIT {1}))",
      relation, skipped);
}

absl::Status RunCopy(const Service& service, Job& job) {
  const json& copy = Child(job.configuration, "copy");
  const std::string operation = Text(copy, "operationType", "COPY");
  if (operation != "COPY" && operation != "OPERATION_TYPE_UNSPECIFIED" && operation != "CLONE") {
    return absl::UnimplementedError(fmt::format(
        "operationType {} is not supported by the local BigQuery, only COPY and CLONE are", operation));
  }
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<TablePtr> tables, FindSources(service, copy, job));
  HAKOBU_ASSIGN_OR_RETURN(const TableId target,
                          TableFromReference(Child(copy, "destinationTable"), job.project));
  HAKOBU_RETURN_IF_ERROR(CheckTarget(service, job, target));
  HAKOBU_RETURN_IF_ERROR(CheckLocation(service, job, target.parent()));
  for (const TablePtr& table : tables)
    HAKOBU_RETURN_IF_ERROR(CheckLocation(service, job, table->id.parent()));
  const std::string write = Text(copy, "writeDisposition", "WRITE_EMPTY");
  if (write == "WRITE_TRUNCATE_DATA") {
    return absl::InvalidArgumentError(
        "Invalid value for writeDisposition: WRITE_TRUNCATE_DATA is not a valid value");
  }
  HAKOBU_ASSIGN_OR_RETURN(const Destination destination,
                          OpenDestination(service, target, Text(copy, "createDisposition"), write));
  if (destination.table && service.faults->Has(Behaviour::kLayouts)) {
    HAKOBU_RETURN_IF_ERROR(CheckCopyLayout(*tables[0], *destination.table));
  }
  std::vector<CopySource> sources;
  for (const TablePtr& table : tables) {
    HAKOBU_ASSIGN_OR_RETURN(std::string rows, RowsToCopy(service, *table));
    sources.push_back({table, std::move(rows)});
  }
  const auto finish = [&](Connection& connection, int64_t rows) {
    job.SetStatistics({{"copiedRows", std::to_string(rows)}});
    return job.RecordDone(connection);
  };
  // A copy that has begun runs to its end: cancelling the job does not stop it.
  if (destination.write == WriteMode::kAppend) {
    HAKOBU_RETURN_IF_ERROR(CheckSchemaUpdate(target, tables[0]->schema, destination.table->schema));
    return service.catalog->Write(
        target, destination.table->generation, [&](Connection& connection, const Table&) -> absl::Status {
          HAKOBU_ASSIGN_OR_RETURN(const int64_t rows, CopyRows(connection, sources, DuckDbName(target)));
          return finish(connection, rows);
        });
  }
  Table table = CopiedTable(target, *tables[0], destination.table,
                            service.faults->Has(Behaviour::kPublishLosses), copy);
  return service.catalog
      ->ReplaceTable(std::move(table), Catalog::Replacement::kCopy,
                     [&](Connection& connection, const Catalog::NewRows& rows) -> absl::Status {
                       HAKOBU_ASSIGN_OR_RETURN(const int64_t count,
                                               CopyRows(connection, sources, rows.quoted));
                       return finish(connection, count);
                     })
      .status();
}

}  // namespace hakobu::localbq::rest
