// Query jobs: GoogleSQL through sql/, rows kept for getQueryResults or written to a destination table.
// Source: https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationQuery
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "absl/time/clock.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "localbq/faults/faults.h"
#include "localbq/rest/access.h"
#include "localbq/rest/jobs.h"
#include "localbq/rest/query_parameters.h"
#include "localbq/rest/service.h"
#include "localbq/sql/execute.h"
#include "localbq/storage_api/change_log.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

absl::StatusOr<sql::Context> ContextOf(const Job& job, const json& query) {
  sql::Context context;
  context.project = job.project;
  const json& dataset = Child(query, "defaultDataset");
  context.default_dataset = Text(dataset, "datasetId");
  context.default_dataset_project = Text(dataset, "projectId", job.project);
  context.session_user = job.user;
  context.now_us = absl::ToUnixMicros(absl::Now());
  HAKOBU_ASSIGN_OR_RETURN(context.parameters, ReadParameters(query));
  return context;
}

bool Allows(const json& query, std::string_view option) {
  const auto options = query.find("schemaUpdateOptions");
  if (options == query.end() || !options->is_array()) return false;
  return std::ranges::any_of(*options, [&](const json& entry) { return entry == option; });
}

absl::StatusOr<std::optional<sql::Destination>> DestinationOf(const Job& job, const json& query) {
  const json& reference = Child(query, "destinationTable");
  if (reference.empty()) return std::nullopt;
  sql::Destination destination;
  HAKOBU_ASSIGN_OR_RETURN(destination.table, TableFromReference(reference, job.project));
  destination.write = Text(query, "writeDisposition", "WRITE_EMPTY");
  destination.create = Text(query, "createDisposition", "CREATE_IF_NEEDED");
  destination.allow_field_addition = Allows(query, "ALLOW_FIELD_ADDITION");
  destination.allow_field_relaxation = Allows(query, "ALLOW_FIELD_RELAXATION");
  // Read as a table's resource is: the same fields, the same checks.
  json resource = json::object();
  for (const char* key : {"timePartitioning", "rangePartitioning", "clustering"}) {
    if (query.contains(key) && query[key].is_object()) resource[key] = query[key];
  }
  HAKOBU_ASSIGN_OR_RETURN(const Table described, TableFromJson(resource, destination.table));
  destination.time_partitioning = described.time_partitioning;
  destination.range_partitioning = described.range_partitioning;
  destination.clustering = described.clustering;
  return destination;
}

json ReferenceOf(const sql::TableName& name) {
  return {{"projectId", name.project}, {"datasetId", name.dataset}, {"tableId", name.table}};
}

bool IsDml(sql::StatementKind kind) {
  return kind == sql::StatementKind::kInsert || kind == sql::StatementKind::kUpdate ||
         kind == sql::StatementKind::kDelete || kind == sql::StatementKind::kMerge ||
         kind == sql::StatementKind::kTruncate;
}

// On demand: whole megabytes, and ten of them for each table at the least.
int64_t BytesBilled(const sql::Answer& answer) {
  constexpr int64_t kMegabyte = int64_t{1} << 20;
  int64_t billed = 0;
  for (const sql::ReferencedTable& table : answer.referenced) {
    billed += std::max((table.bytes + kMegabyte - 1) / kMegabyte, int64_t{10}) * kMegabyte;
  }
  return billed;
}

json StatisticsOf(const sql::Answer& answer) {
  json statistics = {{"statementType", sql::StatementTypeName(answer.kind)},
                     {"totalBytesProcessed", std::to_string(answer.bytes_processed)},
                     {"totalBytesBilled", std::to_string(BytesBilled(answer))},
                     {"totalSlotMs", "0"},
                     {"cacheHit", false},
                     {"billingTier", 0},
                     {"totalPartitionsProcessed", "0"}};
  for (const sql::ReferencedTable& table : answer.referenced) {
    statistics["referencedTables"].push_back(ReferenceOf(table.name));
  }
  if (IsDml(answer.kind)) {
    statistics["numDmlAffectedRows"] = std::to_string(answer.dml.affected());
    statistics["dmlStats"] = {{"insertedRowCount", std::to_string(answer.dml.inserted)},
                              {"updatedRowCount", std::to_string(answer.dml.updated)},
                              {"deletedRowCount", std::to_string(answer.dml.deleted)}};
  }
  if (!answer.ddl_operation.empty()) {
    statistics["ddlOperationPerformed"] = answer.ddl_operation;
    statistics[answer.target.table.empty() ? "ddlTargetDataset" : "ddlTargetTable"] =
        ReferenceOf(answer.target);
    if (answer.target.table.empty()) statistics["ddlTargetDataset"].erase("tableId");
  }
  if (!answer.schema.empty()) statistics["schema"] = SchemaToJson(answer.schema);
  return statistics;
}

absl::StatusOr<std::shared_ptr<const QueryRows>> Kept(sql::Answer* answer, Job* job) {
  auto rows = std::make_shared<QueryRows>();
  rows->schema = answer->schema;
  if (answer->rows) {
    const Job::Interruptible interruptible(job, &**answer->lease);
    while (std::optional<Chunk> chunk = answer->rows->Next()) {
      if (job->cancelled()) return absl::CancelledError("cancelled");
      rows->first_row.push_back(rows->rows);
      rows->rows += chunk->rows();
      rows->bytes += chunk->rows() * (rows->schema.size() * 24 + 16);
      rows->chunks.push_back(*std::move(chunk));
    }
  }
  return rows;
}

// The quotas of DML and DDL, which only the statement's text says.
absl::Status AdmitWrite(const Service& service, sql::StatementKind kind, const sql::TableName& name) {
  if (!IsDml(kind) && !name.table.empty()) {
    constexpr int kDdlCost = 8;  // of TableHistory's burst
    if (!service.faults->tables().ChargeUpdate({name.project, name.dataset, name.table}, kDdlCost).ok()) {
      return absl::InvalidArgumentError(
          "Job exceeded rate limits: Your table exceeded quota for table update operations. For more "
          "information, "
          "see https://cloud.google.com/bigquery/docs/troubleshoot-quotas");
    }
  }
  Quotas& quotas = service.faults->quotas();
  if (!quotas.is_on() || name.table.empty()) return absl::OkStatus();
  bool partitioned = false;
  if (const auto table = service.catalog->GetTable({name.project, name.dataset, name.table}); table.ok()) {
    partitioned = (*table)->time_partitioning || (*table)->range_partitioning;
  }
  return quotas.Charge({IsDml(kind) ? "job.dml" : "job.ddl", name.project, name.dataset, name.table, ""},
                       partitioned);
}

absl::Status AsQueryError(absl::Status status) {
  if (absl::IsInvalidArgument(status) || absl::IsOutOfRange(status) || absl::IsFailedPrecondition(status)) {
    const bool exceeded = View(status.message()).starts_with("Resources exceeded");
    return WithReason(absl::InvalidArgumentError(status.message()),
                      exceeded ? "resourcesExceeded" : "invalidQuery", "query");
  }
  return status;
}

// What the rest of the local BigQuery decides about this job's statements.
sql::ExecuteHooks HooksOf(const Service& service, Job& job) {
  sql::ExecuteHooks hooks;
  hooks.cdc_active = [&service](const Table& table) { return service.changes->IsActive(table); };
  hooks.apply_watermark = [&service](const Table& table) -> std::optional<int64_t> {
    const int64_t watermark_us = service.changes->WatermarkMicros(table);
    return watermark_us == 0 ? std::nullopt : std::optional(watermark_us);
  };
  hooks.on_connection = [&job](Connection& connection) -> absl::StatusOr<std::shared_ptr<void>> {
    auto guard = std::make_shared<Job::Interruptible>(&job, &connection);
    if (job.cancelled()) return absl::CancelledError("cancelled");
    return guard;
  };
  hooks.before_commit = [&job](Connection& connection, const sql::Answer& answer) -> absl::Status {
    job.SetStatistics(StatisticsOf(answer));
    HAKOBU_RETURN_IF_ERROR(job.RecordDone(connection));
    CrashPoint("query.before_commit");
    return absl::OkStatus();
  };
  hooks.admit_write = [&service, &job](sql::StatementKind kind, const sql::TableName& name) -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(CheckLocation(service, job, {name.project, name.dataset}));
    return AdmitWrite(service, kind, name);
  };
  hooks.read_source = [&service, &job](const Table& table) -> absl::StatusOr<std::string> {
    HAKOBU_RETURN_IF_ERROR(CheckLocation(service, job, table.id.parent()));
    return service.catalog->ReadSource(table);
  };
  hooks.rows_to_copy = [&service](const Table& table) { return RowsToCopy(service, table); };
  hooks.after_ddl = [&service](const sql::TableName& name) {
    service.faults->tables().OnDdl({name.project, name.dataset, name.table});
  };
  hooks.is_streamed_to = [&service](const Table& table) {
    return service.faults->tables().IsStreamedTo(table);
  };
  hooks.publish_losses = service.faults->Has(Behaviour::kPublishLosses);
  hooks.layouts = service.faults->Has(Behaviour::kLayouts);
  hooks.streaming_alters = service.faults->Has(Behaviour::kStreamingAlters);
  hooks.truncate_data_policies = service.faults->Has(Behaviour::kTruncateDataPolicies);
  hooks.partition_filters = service.faults->Has(Behaviour::kPartitionFilters);
  AddAccessHooks(service, job.identity, job.may_change, &hooks);
  return hooks;
}

}  // namespace

absl::Status RunQuery(const Service& service, Job& job) {
  const json& query = Child(job.configuration, "query");
  const std::string text = Text(query, "query");
  if (text.empty())
    return WithReason(absl::InvalidArgumentError("Required parameter is missing: query"), "required");
  if (Flag(query, "useLegacySql", true) && !text.starts_with("#standardSQL")) {
    return WithReason(
        absl::InvalidArgumentError("Legacy SQL is not supported by the local BigQuery: set useLegacySql "
                                   "to false (bq: --nouse_legacy_sql)"),
        "invalidQuery", "query");
  }
  HAKOBU_ASSIGN_OR_RETURN(const sql::Context context, ContextOf(job, query));
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<sql::Destination> destination, DestinationOf(job, query));
  if (destination) HAKOBU_RETURN_IF_ERROR(CheckLocation(service, job, destination->table.parent()));
  const sql::ExecuteHooks hooks = HooksOf(service, job);
  if (Flag(job.configuration, "dryRun")) {
    absl::StatusOr<sql::Answer> answer = sql::DryRun(text, context, *service.catalog, hooks);
    if (!answer.ok()) return AsQueryError(answer.status());
    json statistics = StatisticsOf(*answer);
    statistics["totalBytesProcessedAccuracy"] = "PRECISE";
    job.SetStatistics(std::move(statistics));
    return absl::OkStatus();
  }
  absl::StatusOr<sql::Answer> answer =
      sql::Execute(text, context, *service.catalog, hooks, destination ? &*destination : nullptr);
  // DuckDB does not always say that it was an interruption.
  if (!answer.ok() && job.cancelled()) return absl::CancelledError("cancelled");
  if (!answer.ok()) return AsQueryError(answer.status());
  CrashPoint("query.after_commit");
  absl::StatusOr<std::shared_ptr<const QueryRows>> rows = Kept(&*answer, &job);
  if (!rows.ok()) return AsQueryError(rows.status());
  job.SetStatistics(StatisticsOf(*answer));
  // DDL has no transaction that the job could share.
  if (answer->kind != sql::StatementKind::kSelect && !job.is_recorded()) {
    HAKOBU_RETURN_IF_ERROR(
        service.warehouse->InTransaction([&](Connection& connection) { return job.RecordDone(connection); }));
  }
  if (!destination || answer->kind != sql::StatementKind::kSelect) job.SetRows(*std::move(rows));
  return absl::OkStatus();
}

}  // namespace hakobu::localbq::rest
