// What statements of the log do to the stream's tables. docs/streaming.md states the behaviours.
#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/stream/copier.h"
#include "delivery/stream/follower.h"

namespace hakobu {
namespace {

std::string NameOf(const ddl::TableName& name) {
  return fmt::format("{}.{}", name.database, name.table);
}

}  // namespace

absl::Status Follower::Barrier() {
  for (const auto& [id, lane] : lanes_) {
    if (!lane->ShipOpen()) return absl::CancelledError("stopped on request");
  }
  open_bytes_ = 0;
  while (!context_->keeper->WaitForAll(absl::Seconds(1))) {
    HAKOBU_RETURN_IF_ERROR(context_->stop.Check());
    HAKOBU_RETURN_IF_ERROR(context_->failure());
  }
  return absl::OkStatus();
}

absl::Status Follower::OnStatement(const binlog::LogContext& context, const binlog::LogStatement& statement) {
  HAKOBU_ASSIGN_OR_RETURN(const bool of_xa, EndPrepared(context, statement.text));
  if (of_xa) return absl::OkStatus();
  const std::vector<ddl::TableEffect> effects = schemas_->Follow(statement);
  for (size_t i = 0; i < effects.size(); ++i) {
    followed_.clear();
    HAKOBU_RETURN_IF_ERROR(Apply(context, effects[i]));
    HAKOBU_RETURN_IF_ERROR(Note(context, statement, effects[i], i));
  }
  if (!effects.empty()) {
    schemas_changed_ = true;
    moved_ = true;
  }
  if (!in_transaction_) EndedAt(context);
  return absl::OkStatus();
}

absl::Status Follower::Apply(const binlog::LogContext& context, const ddl::TableEffect& effect) {
  using Kind = ddl::TableEffect::Kind;
  // The place behind the statement: what begins anew begins there.
  boundary_.file = context.file;
  boundary_.offset = context.next_position;
  StreamTable* table = context_->tables.Find(NameOf(effect.table));
  const bool delivered = table != nullptr && table->delivered;
  switch (effect.kind) {
    case Kind::kCreated:
    case Kind::kReplaced:
      return Created(effect.table);
    case Kind::kDropped:
      return Gone(effect.table, "dropped at the source");
    case Kind::kRenamed:
      HAKOBU_RETURN_IF_ERROR(
          Gone(effect.table, fmt::format("renamed to {} at the source", NameOf(effect.to))));
      return Created(effect.to);
    case Kind::kTruncated:
      return delivered ? Truncated(context, table) : absl::OkStatus();
    case Kind::kAltered:
      return delivered ? Altered(table, effect) : absl::OkStatus();
    case Kind::kRowsChangedUnseen:
      return table == nullptr ? absl::OkStatus() : ChangedUnseen(table, effect.reason);
    case Kind::kUnknown:
      if (!delivered) return absl::OkStatus();
      return TableProblem(table,
                          absl::DataLossError(fmt::format("{}: a statement of the log cannot be followed: {}",
                                                          table->name, effect.reason)));
  }
  return absl::OkStatus();
}

absl::Status Follower::ChangedUnseen(StreamTable* table, const std::string& reason) {
  if (!table->delivered) return absl::OkStatus();
  const std::string what = fmt::format("rows changed without events in the log: {}", reason);
  if (!LaneOf(table)->schema()->changes_by_key())
    return TableProblem(table, absl::DataLossError(fmt::format("{}: {}", table->name, what)));
  Log(LogSeverity::kWarning, "table begins anew", {{"table", table->name}, {"reason", what}});
  return BeginTable(table, false);
}

absl::Status Follower::Created(const ddl::TableName& name) {
  const std::string full = NameOf(name);
  StreamTable* table = context_->tables.Find(full);
  if (table == nullptr) {
    const TableRule* rule = FindRule(*context_->config, name.database, name.table);
    if (rule == nullptr || rule->options.mode != TableMode::kStream) return absl::OkStatus();
    table = context_->tables.Add(full, rule->options);
  }
  if (table->record().state == "stopped") return absl::OkStatus();
  const SourceTable* source = schemas_->Find(name.database, name.table);
  if (source == nullptr) {
    context_->StopTable(table, absl::DataLossError(full + ": its definition cannot be told from the log"));
    return context_->failure();
  }
  absl::StatusOr<LaneSchema> schema = MakeLaneSchema(*context_->config, table->options, *source);
  if (!schema.ok()) {
    context_->StopTable(table, schema.status());
    return context_->failure();
  }
  Log(LogSeverity::kInfo, "table appears in the log", {{"table", full}});
  table->SetSchema(std::make_shared<const LaneSchema>(*std::move(schema)));
  return BeginTable(table, false);
}

absl::Status Follower::Gone(const ddl::TableName& name, const std::string& reason) {
  StreamTable* table = context_->tables.Find(NameOf(name));
  if (table == nullptr || !table->delivered) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(Barrier());
  context_->copier->Cancel(table);
  table->delivered = false;
  ++generation_;
  Log(LogSeverity::kWarning, "table is gone, BigQuery keeps its rows",
      {{"table", table->name}, {"reason", reason}});
  return table->Store(context_->log, [&](StreamTableRecord* record) {
    record->state = "dropped";
    record->reason = reason;
    record->since = context_->clock->Now();
  });
}

absl::Status Follower::Truncated(const binlog::LogContext& context, StreamTable* table) {
  if (LaneOf(table)->schema()->changes_by_key()) return BeginTable(table, false);
  return LaneOf(table)->TakeMark(context, PlaceOf(context), "truncate");
}

absl::Status Follower::Altered(StreamTable* table, const ddl::TableEffect& effect) {
  const SourceTable* after = schemas_->Find(effect.table.database, effect.table.table);
  if (after == nullptr) {
    return TableProblem(table,
                        absl::DataLossError(table->name + ": its definition cannot be told from the log"));
  }
  const AlterNeeds needs = NeedsOf(LaneOf(table)->schema()->base, *after, effect);
  const bool by_key = LaneOf(table)->schema()->changes_by_key();
  if (effect.key_changed && by_key) {
    absl::StatusOr<LaneSchema> schema = MakeLaneSchema(*context_->config, table->options, *after);
    if (!schema.ok() || !schema->changes_by_key()) {
      const absl::Status problem =
          schema.ok()
              ? absl::DataLossError(table->name + ": its key is gone, so its rows cannot be told apart")
              : schema.status();
      return TableProblem(table, problem);
    }
    table->SetSchema(std::make_shared<const LaneSchema>(*std::move(schema)));
    return BeginTable(table, false);
  }
  if (!needs.columns_differ && !effect.key_changed) return absl::OkStatus();
  const absl::Status changed = ChangeSchema(table, *after);
  if (!changed.ok()) return TableProblem(table, changed);
  if (needs.rows_differ && by_key) return CopyAgain(table);
  return absl::OkStatus();
}

absl::Status Follower::ChangeSchema(StreamTable* table, const SourceTable& after) {
  HAKOBU_ASSIGN_OR_RETURN(LaneSchema schema, MakeLaneSchema(*context_->config, table->options, after));
  HAKOBU_RETURN_IF_ERROR(Barrier());
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<SchemaChange> changes,
                          FollowTarget(context_->target(), Follow::kAll, &schema));
  for (const SchemaChange& change : changes) {
    Log(LogSeverity::kInfo, "schema change followed",
        {{"table", table->name},
         {"change", std::string(SchemaChangeName(change.kind))},
         {"column", change.column},
         {"behaviour", change.behaviour}});
    followed_.push_back(
        fmt::format("{} {}: {}", SchemaChangeName(change.kind), change.column, change.behaviour));
  }
  table->SetSchema(std::make_shared<const LaneSchema>(std::move(schema)));
  HAKOBU_RETURN_IF_ERROR(LaneOf(table)->Use(table->schema()));
  ++generation_;
  if (!LaneOf(table)->schema()->changes_by_key()) return OpenStream(table);
  context_->SenderOf(*table)->ChangeDescriptor(table->id, std::string(LaneOf(table)->descriptor()));
  return absl::OkStatus();
}

absl::Status Follower::CopyAgain(StreamTable* table) {
  context_->copier->Cancel(table);
  StreamTableRecord record = table->record();
  record.state = "copying";
  record.since = context_->clock->Now();
  record.copied_rows = 0;
  record.copy_sequence =
      SequenceText(JustBefore(static_cast<uint64_t>(boundary_.epoch), file_number_, boundary_.offset));
  HAKOBU_RETURN_IF_ERROR(context_->log->StartCopy(record, {}));
  CrashPoint("stream.copy_again");
  table->SetRecord(std::move(record));
  context_->copier->Add(table, boundary_.flavor == "mysql" ? executed_.Text() : "");
  return absl::OkStatus();
}

absl::Status Follower::BeginTable(StreamTable* table, bool first) {
  HAKOBU_RETURN_IF_ERROR(Barrier());
  context_->copier->Cancel(table);
  const std::shared_ptr<const LaneSchema> schema = table->schema();
  StreamTableRecord record;
  record.source = table->name;
  record.target = schema->work.target.ToString();
  record.mode = LaneModeName(schema->mode);
  record.state = "beginning";
  record.since = context_->clock->Now();
  HAKOBU_RETURN_IF_ERROR(context_->log->StartCopy(record, {}));
  table->SetRecord(record);
  CrashPoint("stream.table_beginning");
  const absl::Status begun = BeginTarget(context_->target(), *schema);
  if (begun.code() == absl::StatusCode::kDataLoss || begun.code() == absl::StatusCode::kInvalidArgument) {
    if (first) return begun;
    context_->StopTable(table, begun);
    ++generation_;
    return context_->failure();
  }
  HAKOBU_RETURN_IF_ERROR(begun);
  record.state = "copying";
  const auto epoch = static_cast<uint64_t>(boundary_.epoch);
  // At the very first place the log may begin a little before its position: the set of transactions decides.
  record.copy_sequence =
      SequenceText(first ? JustBefore(epoch, 0, 0) : JustBefore(epoch, file_number_, boundary_.offset));
  HAKOBU_RETURN_IF_ERROR(context_->log->StartCopy(record, {}));
  CrashPoint("stream.table_begun");
  table->SetRecord(std::move(record));
  HAKOBU_RETURN_IF_ERROR(Join(table));
  context_->copier->Add(table, boundary_.flavor == "mysql" ? executed_.Text() : "");
  return absl::OkStatus();
}

}  // namespace hakobu
