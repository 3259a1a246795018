#include "delivery/stream/targets.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/preflight/table_checks.h"
#include "delivery/schema_change.h"

namespace hakobu {
namespace {

constexpr char kRunId[] = "stream";

absl::Status RunDdl(const TargetContext& context, const LaneSchema& schema, const std::string& sql) {
  QuerySpec query;
  query.project = context.config->destination.billing_project;
  query.location = context.config->destination.location;
  query.sql = sql;
  CrashPoint("stream.ddl");
  return Annotate(RunTableDdl(*context.destination->rest, query, schema.work.target),
                  fmt::format("{}: {}", schema.work.name, sql));
}

bool OnlyAdds(std::string_view ddl) {
  return ddl.find(" ADD COLUMN ") != std::string_view::npos ||
         ddl.find(" DROP NOT NULL") != std::string_view::npos;
}

absl::Status CheckReplaceable(const TargetContext& context, const LaneSchema& schema,
                              const Resource& existing) {
  HAKOBU_RETURN_IF_ERROR(CheckTargetKind(existing.json, schema.work));
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<SchemaVersion> delivered,
                          context.ledger->schemas().NewestSchema(schema.work.target.ToString()));
  if (delivered.has_value()) return absl::OkStatus();
  // Asked for, not read from numRows, which lags by minutes.
  const DestinationConfig& destination = context.config->destination;
  HAKOBU_ASSIGN_OR_RETURN(const bool has_rows, HasRows(*context.destination->rest,
                                                       {schema.work.target, destination.billing_project,
                                                        destination.location, EveryRow(existing.json)}));
  if (!has_rows) return absl::OkStatus();
  return WithHint(
      absl::DataLossError(fmt::format("{}: {} is there already and was not delivered with this ledger",
                                      schema.work.name, schema.work.target.ToString())),
      "the stream begins with an empty table: give it another `target`, or remove that table yourself");
}

}  // namespace

absl::Status EnsureStreamDataset(const TargetContext& context) {
  const DestinationConfig& destination = context.config->destination;
  const DatasetName name{destination.project, destination.dataset};
  const absl::Status found = GetDataset(*context.destination->rest, name).status();
  if (found.code() != absl::StatusCode::kNotFound) return found;
  const nlohmann::json resource = {{"location", destination.location}};
  const absl::Status made = CreateDataset(*context.destination->rest, name, resource.dump()).status();
  return made.code() == absl::StatusCode::kAlreadyExists ? absl::OkStatus() : made;
}

absl::Status BeginTarget(const TargetContext& context, const LaneSchema& schema) {
  Rest& rest = *context.destination->rest;
  const TableName& target = schema.work.target;
  const absl::StatusOr<Resource> existing = GetTable(rest, target);
  if (existing.ok()) {
    HAKOBU_RETURN_IF_ERROR(CheckReplaceable(context, schema, *existing));
    HAKOBU_RETURN_IF_ERROR(DeleteTable(rest, target));
    CrashPoint("stream.target_dropped");
  } else if (existing.status().code() != absl::StatusCode::kNotFound) {
    return existing.status();
  }
  // Before the table: a crash in between must not leave one that nobody dares to replace.
  HAKOBU_RETURN_IF_ERROR(
      context.ledger->schemas().RecordSchema(target.ToString(), kRunId, SchemaJson(schema.work)).status());
  const absl::Status made =
      CreateTable(rest, target, WithKmsKey(LaneTableResource(schema), context.config->destination.kms_key))
          .status();
  CrashPoint("stream.target_created");
  HAKOBU_RETURN_IF_ERROR(Annotate(made, fmt::format("{}: create {}", schema.work.name, target.ToString())));
  const absl::Duration staleness = schema.work.options.max_staleness;
  if (!schema.changes_by_key() || staleness <= absl::ZeroDuration()) return absl::OkStatus();
  const DestinationConfig& destination = context.config->destination;
  return Annotate(
      SetMaxStaleness(rest, {destination.billing_project, destination.location}, target, staleness),
      schema.work.name);
}

absl::StatusOr<std::vector<SchemaChange>> FollowTarget(const TargetContext& context, Follow follow,
                                                       LaneSchema* schema) {
  const TableName& target = schema->work.target;
  HAKOBU_ASSIGN_OR_RETURN(const Resource existing, GetTable(*context.destination->rest, target));
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<SchemaVersion> before,
                          context.ledger->schemas().NewestSchema(target.ToString()));
  HAKOBU_ASSIGN_OR_RETURN(
      SchemaChanges changes,
      CompareSchemas(existing.json, before.has_value() ? before->schema_json : std::string(), &schema->work));
  std::vector<SchemaChange> done;
  for (const std::string& ddl : changes.ddl) {
    if (follow == Follow::kAddOnly && !OnlyAdds(ddl)) continue;
    HAKOBU_RETURN_IF_ERROR(RunDdl(context, *schema, ddl));
  }
  HAKOBU_RETURN_IF_ERROR(
      context.ledger->schemas().RecordSchema(target.ToString(), kRunId, SchemaJson(schema->work)).status());
  CrashPoint("stream.ddl_done");
  for (SchemaChange& change : changes.changes) {
    const bool adds = change.kind == SchemaChangeKind::kAdded || change.kind == SchemaChangeKind::kRenamed;
    if (follow == Follow::kAll || adds) done.push_back(std::move(change));
  }
  return done;
}

}  // namespace hakobu
