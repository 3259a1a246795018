// Copy jobs.
// Source: https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationTableCopy
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "localbq/catalog/catalog.h"
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

// The rows of all sources, in the target's order of columns. Their changes have been merged before the
// transaction, which would not see a merge made meanwhile.
absl::StatusOr<int64_t> CopyRows(Connection& connection, const std::vector<TablePtr>& sources,
                                 const std::string& target) {
  int64_t rows = 0;
  for (const TablePtr& source : sources) {
    std::string columns;
    for (const Column& column : source->schema) {
      columns += fmt::format("{}{}", columns.empty() ? "" : ", ", Quoted(column.name));
    }
    if (columns.empty()) continue;
    HAKOBU_ASSIGN_OR_RETURN(
        Result result, connection.Query(fmt::format("INSERT INTO {} ({}) SELECT {} FROM {}", target, columns,
                                                    columns, DuckDbName(source->id))));
    rows += result.rows_changed();
  }
  return rows;
}

}  // namespace

absl::Status RunCopy(const Service& service, Job& job) {
  const json& copy = Child(job.configuration, "copy");
  const std::string operation = Text(copy, "operationType", "COPY");
  if (operation != "COPY" && operation != "OPERATION_TYPE_UNSPECIFIED" && operation != "CLONE") {
    return absl::UnimplementedError(fmt::format(
        "operationType {} is not supported by the local BigQuery, only COPY and CLONE are", operation));
  }
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<TablePtr> sources, FindSources(service, copy, job));
  HAKOBU_ASSIGN_OR_RETURN(const TableId target,
                          TableFromReference(Child(copy, "destinationTable"), job.project));
  HAKOBU_RETURN_IF_ERROR(CheckTarget(service, job, target));
  HAKOBU_ASSIGN_OR_RETURN(const Destination destination,
                          OpenDestination(service, target, Text(copy, "createDisposition"),
                                          Text(copy, "writeDisposition", "WRITE_EMPTY")));
  for (const TablePtr& source : sources) HAKOBU_RETURN_IF_ERROR(service.changes->Apply(*source));
  const auto finish = [&](Connection& connection, int64_t rows) {
    job.SetStatistics({{"copiedRows", std::to_string(rows)}});
    return job.RecordDone(connection);
  };
  if (destination.write == WriteMode::kAppend) {
    HAKOBU_RETURN_IF_ERROR(CheckSchemaUpdate(target, sources[0]->schema, destination.table->schema));
    return service.catalog->Write(
        target, destination.table->generation, [&](Connection& connection, const Table&) -> absl::Status {
          const Job::Interruptible interruptible(&job, &connection);
          HAKOBU_ASSIGN_OR_RETURN(const int64_t rows, CopyRows(connection, sources, DuckDbName(target)));
          return finish(connection, rows);
        });
  }
  // WRITE_TRUNCATE takes everything from the source, its constraints too; WRITE_TRUNCATE_DATA only the rows.
  Table table = *sources[0];
  if (destination.write == WriteMode::kReplaceRows) {
    HAKOBU_RETURN_IF_ERROR(CheckSchemaUpdate(target, sources[0]->schema, destination.table->schema));
    table = *destination.table;
  }
  table.id = target;
  table.type = TableType::kTable;
  table.expiration_ms = 0;
  return service.catalog
      ->ReplaceTable(std::move(table),
                     [&](Connection& connection, const Catalog::NewRows& rows) -> absl::Status {
                       const Job::Interruptible interruptible(&job, &connection);
                       HAKOBU_ASSIGN_OR_RETURN(const int64_t count,
                                               CopyRows(connection, sources, rows.quoted));
                       return finish(connection, count);
                     })
      .status();
}

}  // namespace hakobu::localbq::rest
