#include "delivery/stream/targets.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/contract/contract.h"
#include "delivery/merge_sql.h"
#include "delivery/schema_change.h"
#include "delivery/stream/table_contract.h"
#include "delivery/table_resource.h"

namespace hakobu {
namespace {

constexpr char kRunId[] = "stream";

absl::Status RunDdl(const DeliverySession& session, const LaneSchema& schema, const std::string& sql) {
  QuerySpec query;
  query.project = session.config->destination.billing_project;
  query.location = session.config->destination.location;
  query.sql = sql;
  CrashPoint("stream.ddl");
  return Annotate(RunTableDdl(*session.destination.rest, query, schema.work.target),
                  fmt::format("{}: {}", schema.work.name, sql));
}

// What is safe where BigQuery may be ahead of the place that reading begins at: nothing goes, no type
// narrows.
bool OnlyAdds(std::string_view ddl) {
  return ddl.find(" ADD COLUMN ") != std::string_view::npos ||
         ddl.find(" DROP NOT NULL") != std::string_view::npos ||
         ddl.find(" SET DATA TYPE ") != std::string_view::npos;
}

absl::Status GiveKey(const DeliverySession& session, const LaneSchema& schema) {
  if (!schema.changes_by_key()) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(const Resource existing, GetTable(*session.destination.rest, schema.work.target));
  HAKOBU_ASSIGN_OR_RETURN(const TargetIdentity identity, ReadTargetIdentity(existing.json));
  if (!identity.key.empty()) return absl::OkStatus();
  std::string columns;
  for (const size_t place : schema.work.schema.key) {
    columns += (columns.empty() ? "" : ", ") + QuoteField(schema.work.schema.fields[place].name);
  }
  return RunDdl(
      session, schema,
      fmt::format("ALTER TABLE {} ADD PRIMARY KEY ({}) NOT ENFORCED", schema.work.target.Quoted(), columns));
}

absl::Status GiveStaleness(const DeliverySession& session, const LaneSchema& schema) {
  const absl::Duration staleness = schema.work.options.max_staleness;
  if (!schema.changes_by_key() || staleness <= absl::ZeroDuration()) return absl::OkStatus();
  const DestinationConfig& destination = session.config->destination;
  return Annotate(
      SetMaxStaleness(*session.destination.rest, {destination.billing_project, destination.location},
                      schema.work.target, staleness),
      schema.work.name);
}

}  // namespace

absl::Status EnsureStreamDataset(const DeliverySession& session) {
  const DestinationConfig& destination = session.config->destination;
  const DatasetName name{destination.project, destination.dataset};
  const absl::Status found = GetDataset(*session.destination.rest, name).status();
  if (found.code() != absl::StatusCode::kNotFound) return found;
  const nlohmann::json resource = {{"location", destination.location}};
  const absl::Status made = CreateDataset(*session.destination.rest, name, resource.dump()).status();
  return made.code() == absl::StatusCode::kAlreadyExists ? absl::OkStatus() : made;
}

absl::Status BeginTarget(const DeliverySession& session, Existing existing, const TableOptions& options,
                         LaneSchema* schema) {
  Rest& rest = *session.destination.rest;
  const TableName& target = schema->work.target;
  if (existing == Existing::kStays) {
    HAKOBU_RETURN_IF_ERROR(FollowTarget(session, Follow::kAll, schema).status());
    HAKOBU_RETURN_IF_ERROR(GiveKey(session, *schema));
    HAKOBU_RETURN_IF_ERROR(FollowSettings(session, *schema));
    return GiveStaleness(session, *schema);
  }
  // Before the table: a crash in between must not leave one that nobody dares to write to.
  HAKOBU_RETURN_IF_ERROR(RecordContractToCome(session, *schema, options));
  HAKOBU_RETURN_IF_ERROR(
      session.ledger->schemas().RecordSchema(target.ToString(), kRunId, SchemaJson(schema->work)).status());
  if (existing == Existing::kMakeAgain) {
    HAKOBU_RETURN_IF_ERROR(DeleteTable(rest, target));
    CrashPoint("stream.target_dropped");
  }
  const absl::Status made =
      CreateTable(rest, target, WithKmsKey(LaneTableResource(*schema), session.config->destination.kms_key))
          .status();
  CrashPoint("stream.target_created");
  HAKOBU_RETURN_IF_ERROR(Annotate(made, fmt::format("{}: create {}", schema->work.name, target.ToString())));
  return GiveStaleness(session, *schema);
}

absl::Status FollowSettings(const DeliverySession& session, const LaneSchema& schema) {
  Rest& rest = *session.destination.rest;
  const TableName& target = schema.work.target;
  HAKOBU_ASSIGN_OR_RETURN(const Resource existing, GetTable(rest, target));
  const auto warn = [&](std::string what, const absl::Status& status) {
    Log(LogSeverity::kWarning, std::move(what),
        {{"table", schema.work.name}, {"why", std::string(View(status.message()))}});
  };
  const std::string patch = TargetPatch(existing.json, existing.json, schema.work);
  if (!patch.empty()) {
    const absl::Status patched = PatchTable(rest, target, patch).status();
    if (patched.ok()) {
      Log(LogSeverity::kInfo, "the table's settings follow the configuration",
          {{"table", schema.work.name}, {"settings", patch}});
    } else {
      warn("the table's settings could not follow the configuration", patched);
    }
  }
  const absl::Status partitioned = CheckPartitioning(existing.json, schema.work);
  if (!partitioned.ok()) warn("the table goes on with another partitioning", partitioned);
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<StoredContract> recorded,
                          ReadContract(session.ledger, target.ToString()));
  if (!schema.changes_by_key() || !recorded.has_value()) return absl::OkStatus();
  const absl::Duration staleness = schema.work.options.max_staleness;
  const std::optional<int64_t>& was = recorded->contract.staleness_seconds;
  if (!was.has_value() || *was == absl::ToInt64Seconds(staleness)) return absl::OkStatus();
  const DestinationConfig& destination = session.config->destination;
  return Annotate(
      SetMaxStaleness(rest, {destination.billing_project, destination.location}, target, staleness),
      schema.work.name);
}

absl::StatusOr<std::vector<SchemaChange>> FollowTarget(const DeliverySession& session, Follow follow,
                                                       LaneSchema* schema) {
  const TableName& target = schema->work.target;
  HAKOBU_ASSIGN_OR_RETURN(const Resource existing, GetTable(*session.destination.rest, target));
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<SchemaVersion> before,
                          session.ledger->schemas().NewestSchema(target.ToString()));
  HAKOBU_ASSIGN_OR_RETURN(
      SchemaChanges changes,
      CompareSchemas(existing.json, before.has_value() ? before->schema_json : std::string(), &schema->work));
  std::vector<SchemaChange> done;
  for (const std::string& ddl : changes.ddl) {
    if (follow == Follow::kAddOnly && !OnlyAdds(ddl)) continue;
    HAKOBU_RETURN_IF_ERROR(RunDdl(session, *schema, ddl));
  }
  HAKOBU_RETURN_IF_ERROR(
      session.ledger->schemas().RecordSchema(target.ToString(), kRunId, SchemaJson(schema->work)).status());
  CrashPoint("stream.ddl_done");
  for (SchemaChange& change : changes.changes) {
    const bool adds = change.kind == SchemaChangeKind::kAdded || change.kind == SchemaChangeKind::kRenamed;
    if (follow == Follow::kAll || adds) done.push_back(std::move(change));
  }
  return done;
}

}  // namespace hakobu
