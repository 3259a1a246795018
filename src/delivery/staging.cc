#include "delivery/staging.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/run_contract.h"
#include "delivery/table_resource.h"

namespace hakobu {
namespace {

constexpr std::string_view kPrefix = "_hakobu_staging_";
// BigQuery removes the staging table by itself then, should nobody run hakobu again.
constexpr absl::Duration kStagingLife = absl::Hours(24 * 7);

absl::Status CreateUnlessThere(Rest& rest, const TableName& name, const std::string& resource) {
  const absl::Status status = CreateTable(rest, name, resource).status();
  return status.code() == absl::StatusCode::kAlreadyExists ? absl::OkStatus() : status;
}

// Looked for first: who has a dataset that is there need not be allowed to make one.
absl::Status EnsureDataset(RunContext* run, const DatasetName& name) {
  const absl::Status there = GetDataset(*run->destination.rest, name).status();
  if (there.code() != absl::StatusCode::kNotFound) return there;
  const nlohmann::json resource = {{"location", run->config->destination.location}};
  const absl::Status status = CreateDataset(*run->destination.rest, name, resource.dump()).status();
  return status.code() == absl::StatusCode::kAlreadyExists ? absl::OkStatus() : status;
}

absl::Status PrepareStaging(RunContext* run, TableRun* table) {
  Rest& rest = *run->destination.rest;
  const StagingLabels labels{run->ledger->id(), run->run_id};
  HAKOBU_RETURN_IF_ERROR(CreateUnlessThere(
      rest, table->staging,
      WithKmsKey(StagingResource(table->work, table->target, labels, run->clock->Now() + kStagingLife),
                 run->config->destination.kms_key)));
  CrashPoint("staging.created");
  HAKOBU_ASSIGN_OR_RETURN(const std::string created, StagingCreated(rest, table->staging));
  table->staging_created = created;
  return run->ledger->runs().RecordStep(run->run_id, table->work.name,
                                        {.step = PublishStep::kStaging, .detail = created, .done = true});
}

// Before rows are written straight to the target.
absl::Status PrepareDirect(RunContext* run, TableRun* table) {
  const TableWork& work = table->work;
  table->staging_created = table->target.exists ? std::to_string(table->target.created_ms) : "new";
  if (table->publish.method == PublishMethod::kStreams && !table->target.exists)
    return CreateTarget(run, work);
  if (work.mode != WriteMode::kReplace || !table->target.exists) return absl::OkStatus();
  if (work.replaces_schema) HAKOBU_RETURN_IF_ERROR(work.cannot_alter);
  if (work.ddl.empty()) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(AlterTarget(run, work, work.ddl));
  HAKOBU_ASSIGN_OR_RETURN(table->target, LookAtTarget(*run->destination.rest, work.target));
  return absl::OkStatus();
}

absl::Status Prepare(RunContext* run, TableRun* table) {
  const TableWork& work = table->work;
  HAKOBU_ASSIGN_OR_RETURN(table->target, LookAtTarget(*run->destination.rest, work.target));
  HAKOBU_RETURN_IF_ERROR(RecordRunContractToCome(
      {.config = run->config, .rest = run->destination.rest.get(), .ledger = run->ledger}, work));
  HAKOBU_RETURN_IF_ERROR(table->direct() ? PrepareDirect(run, table) : PrepareStaging(run, table));
  if (work.mode == WriteMode::kReplace) return absl::OkStatus();
  if (table->target.exists) {
    HAKOBU_RETURN_IF_ERROR(AlterTarget(run, work, work.ddl));
    if (work.ddl.empty()) return absl::OkStatus();
    HAKOBU_ASSIGN_OR_RETURN(table->target, LookAtTarget(*run->destination.rest, work.target));
    return absl::OkStatus();
  }
  // A load makes its target itself, with the rows in it.
  return table->publish.method == PublishMethod::kLoad ? absl::OkStatus() : CreateTarget(run, work);
}

}  // namespace

absl::Status CreateTarget(RunContext* run, const TableWork& work) {
  return CreateUnlessThere(*run->destination.rest, work.target,
                           WithKmsKey(TargetResource(work), run->config->destination.kms_key));
}

absl::Status AlterTarget(RunContext* run, const TableWork& work, const std::vector<std::string>& ddl) {
  for (const std::string& statement : ddl) {
    QuerySpec query;
    query.project = run->config->destination.billing_project;
    query.sql = statement;
    query.location = run->config->destination.location;
    HAKOBU_RETURN_IF_ERROR(Annotate(RunTableDdl(*run->destination.rest, query, work.target),
                                    fmt::format("{}: {}", work.name, statement)));
    CrashPoint("staging.altered");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> StagingCreated(Rest& rest, const TableName& staging) {
  HAKOBU_ASSIGN_OR_RETURN(const Resource resource, GetTable(rest, staging));
  HAKOBU_ASSIGN_OR_RETURN(const PublishTarget state, ReadTargetState(resource.json));
  return std::to_string(state.created_ms);
}

TableName StagingName(const RunContext& run, const TableName& target) {
  return {target.project,
          run.config->destination.staging_dataset.empty() ? target.dataset
                                                          : run.config->destination.staging_dataset,
          fmt::format("{}{}_{}_{}", kPrefix, target.table, run.ledger->id(), run.run_id)};
}

absl::Status EnsureDatasets(RunContext* run, bool dataset_exists) {
  const DestinationConfig& destination = run->config->destination;
  if (!dataset_exists) HAKOBU_RETURN_IF_ERROR(EnsureDataset(run, {destination.project, destination.dataset}));
  if (destination.staging_dataset.empty() || destination.staging_dataset == destination.dataset) {
    return absl::OkStatus();
  }
  return EnsureDataset(run, {destination.project, destination.staging_dataset});
}

absl::Status EnsureDestination(RunContext* run, TableRun* table) {
  absl::MutexLock lock(&table->mutex);
  if (table->started == absl::InfiniteFuture()) table->started = run->clock->Now();
  if (table->destination_ready) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(Prepare(run, table));
  HAKOBU_RETURN_IF_ERROR(run->ledger->runs().AdvanceTable(&table->record, RunTableEvent::kRead));
  table->destination_ready = true;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> RemoveLeftovers(RunContext* run, const std::string& keep_run) {
  Rest& rest = *run->destination.rest;
  const DestinationConfig& destination = run->config->destination;
  std::vector<std::string> removed;
  // By name: also those whose creation the ledger never heard of.
  const DatasetName dataset{destination.project, destination.staging_dataset.empty()
                                                     ? destination.dataset
                                                     : destination.staging_dataset};
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<TableEntry> tables, ListTables(rest, dataset));
  const std::string own = fmt::format("_{}_", run->ledger->id());
  for (const TableEntry& table : tables) {
    const std::string& name = table.name.table;
    if (!name.starts_with(kPrefix) || name.find(own) == std::string::npos) continue;
    if (!keep_run.empty() && name.ends_with("_" + keep_run)) continue;
    HAKOBU_RETURN_IF_ERROR(DeleteTable(rest, table.name));
    CrashPoint("leftovers.removed");
    removed.push_back("removed " + table.name.ToString() + ", left by a run that did not end");
  }
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<RunRecord> unfinished,
                          run->ledger->runs().UnfinishedRuns(run->options.tenant));
  for (const RunRecord& dead : unfinished) {
    if (dead.id == keep_run) continue;
    HAKOBU_RETURN_IF_ERROR(run->ledger->runs().SetRunState(dead.id, RunState::kAbandoned));
  }
  return removed;
}

}  // namespace hakobu
