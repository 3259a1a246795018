// What statements of the log do to the stream's tables. docs/streaming.md states the behaviours.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/move/retry.h"
#include "delivery/stream/copier.h"
#include "delivery/stream/follower.h"
#include "delivery/stream/sweep.h"

namespace hakobu {
namespace {

constexpr absl::Duration kApplyAgain = absl::Seconds(2);

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
  if (of_xa || TakeSavepoint(statement)) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(ApplyAll(context, statement));
  if (!in_transaction_) EndedAt(context);
  return absl::OkStatus();
}

absl::Status Follower::ApplyAll(const binlog::LogContext& context, const binlog::LogStatement& statement) {
  const std::vector<ddl::TableEffect> effects = schemas_->Follow(statement);
  if (effects.empty()) return absl::OkStatus();
  schemas_changed_ = true;
  moved_ = true;
  if (!in_transaction_) {
    // The place behind the statement: what begins anew begins there, and is read with what it did.
    boundary_.file = context.file;
    boundary_.offset = context.next_position;
    executed_.Add(context.gtid);
  }
  for (size_t i = 0; i < effects.size(); ++i) {
    // ALTER TABLE t RENAME TO u, ADD c INT: what it made of the columns is u's.
    const bool leaves = std::any_of(
        effects.begin() + static_cast<std::ptrdiff_t>(i), effects.end(), [&](const ddl::TableEffect& later) {
          return later.kind == ddl::TableEffect::Kind::kRenamed &&
                 effects[i].kind == ddl::TableEffect::Kind::kAltered && later.table == effects[i].table;
        });
    followed_.clear();
    absl::Status applied = leaves ? absl::OkStatus() : Apply(context, effects[i]);
    // The statement is not read again: it was followed.
    while (PassesByItself(applied) && !context_->stop.WaitFor(kApplyAgain)) {
      Log(LogSeverity::kWarning, "what a statement asks for is tried again",
          {{"table", NameOf(effects[i].table)}, {"error", std::string(View(applied.message()))}});
      applied = Apply(context, effects[i]);
    }
    HAKOBU_RETURN_IF_ERROR(applied);
    HAKOBU_RETURN_IF_ERROR(Note(context, statement, effects[i], i));
  }
  return absl::OkStatus();
}

absl::Status Follower::Apply(const binlog::LogContext& context, const ddl::TableEffect& effect) {
  using Kind = ddl::TableEffect::Kind;
  StreamTable* table = context_->tables.Find(NameOf(effect.table));
  const bool delivered = table != nullptr && table->delivered;
  answered_.erase(NameOf(effect.table));
  switch (effect.kind) {
    case Kind::kCreated:
    case Kind::kReplaced:
      return Created(effect.table);
    case Kind::kDropped:
      return Gone(effect.table, "dropped at the source");
    case Kind::kRenamed:
      HAKOBU_RETURN_IF_ERROR(
          Gone(effect.table, fmt::format("renamed to {} at the source", NameOf(effect.to))));
      if (const absl::Status exposed = JudgeRename(effect); !exposed.ok())
        return StopAppearing(effect.to, exposed);
      return Created(effect.to);
    case Kind::kTruncated:
      return delivered ? Truncated(context, table) : absl::OkStatus();
    case Kind::kAltered:
      return delivered ? Altered(table, effect) : absl::OkStatus();
    case Kind::kRowsChangedUnseen:
      return table == nullptr ? absl::OkStatus() : ChangedUnseen(table, effect.reason);
    case Kind::kUnknown:
      return AskAnew(effect.table,
                     fmt::format("a statement of the log cannot be followed: {}", effect.reason));
  }
  return absl::OkStatus();
}

absl::Status Follower::ChangedUnseen(StreamTable* table, const std::string& reason) {
  if (!table->delivered) return absl::OkStatus();
  if (in_transaction_) {  // what is read before it commits lacks what it did
    unseen_.emplace_back(table, reason);
    return absl::OkStatus();
  }
  const std::string what = fmt::format("rows changed without events in the log: {}", reason);
  if (!LaneOf(table)->schema()->changes_by_key())
    return TableProblem(table, absl::DataLossError(fmt::format("{}: {}", table->name, what)));
  Log(LogSeverity::kWarning, "table begins anew", {{"table", table->name}, {"reason", what}});
  return BeginTable(table, false, ContractOccasion::kReplaced);
}

absl::Status Follower::Created(const ddl::TableName& name) {
  const std::string full = NameOf(name);
  // Of several changes of one statement all are followed by now: a name that was only in between is none.
  if (asked_.contains(full) || !schemas_->IsThere(name)) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(StreamTable * table, Wanted(name));
  if (table == nullptr) return absl::OkStatus();
  // The table that had the name had no key, and so is a history.
  if (table->schema() != nullptr && table->schema()->mode == LaneMode::kHistory) table->KeepHistory();
  const SourceTable* source = schemas_->Find(name.database, name.table);
  if (source == nullptr) return AskAnew(name, "its definition cannot be told from the log");
  absl::StatusOr<LaneSchema> schema = MakeLaneSchema(*context_->config, table->options_now(), *source);
  absl::Status usable = schema.status();
  if (usable.ok()) usable = context_->CheckTarget(*table, schema->work.target);
  if (!usable.ok()) {
    context_->StopTable(table, usable);
    return context_->failure();
  }
  Log(LogSeverity::kInfo, "table appears in the log", {{"table", full}});
  // What stopped was another table of this name.
  if (table->stopped()) HAKOBU_RETURN_IF_ERROR(Gone(name, "replaced at the source"));
  table->SetSchema(std::make_shared<const LaneSchema>(*std::move(schema)));
  return BeginTable(table, false, ContractOccasion::kReplaced);
}

absl::Status Follower::Gone(const ddl::TableName& name, const std::string& reason) {
  StreamTable* table = context_->tables.Find(NameOf(name));
  // One that is stopped goes, too: what bears the name later is another table.
  if (table == nullptr || (!table->delivered && !table->stopped())) return absl::OkStatus();
  if (table->delivered) HAKOBU_RETURN_IF_ERROR(Barrier());
  context_->copier->Cancel(table);
  table->delivered = false;
  ++generation_;
  Log(LogSeverity::kWarning, "table is gone, BigQuery keeps its rows",
      {{"table", table->name}, {"reason", reason}});
  return table->Advance(context_->log, StreamTableEvent::kDrop, [&](StreamTableRecord* record) {
    record->reason = reason;
    record->since = context_->clock->Now();
  });
}

absl::Status Follower::Truncated(const binlog::LogContext& context, StreamTable* table) {
  if (LaneOf(table)->schema()->changes_by_key()) return BeginTable(table, false, ContractOccasion::kReplaced);
  return LaneOf(table)->TakeMark(context, PlaceOf(context), "truncate");
}

absl::Status Follower::Altered(StreamTable* table, const ddl::TableEffect& effect) {
  const SourceTable* after = schemas_->Find(effect.table.database, effect.table.table);
  if (after == nullptr) return AskAnew(effect.table, "its definition cannot be told from the log");
  const std::shared_ptr<const LaneSchema> before = LaneOf(table)->schema();
  const AlterNeeds needs = NeedsOf(before->base, *after, effect);
  const bool by_key = before->changes_by_key();
  if (!needs.columns_differ && !effect.key_changed) return absl::OkStatus();
  if (before->mode == LaneMode::kHistory) table->KeepHistory();
  absl::StatusOr<LaneSchema> schema = MakeLaneSchema(*context_->config, table->options_now(), *after);
  if (schema.ok() && by_key && !schema->changes_by_key())
    schema = absl::DataLossError(table->name + ": its key is gone, so its rows cannot be told apart");
  if (!schema.ok()) return TableProblem(table, schema.status());
  const TargetChange underway(table);
  std::map<std::string, std::string> renamed;
  for (const ddl::ColumnEffect& column : effect.columns) {
    if (column.kind == ddl::ColumnEffect::Kind::kRenamed) renamed[column.name] = column.before;
  }
  HAKOBU_ASSIGN_OR_RETURN(const ContractCase asked,
                          context_->AskContractOf(table, &*schema, ContractOccasion::kAltered, renamed));
  const absl::Status held = AnswerStatus(table->name, asked.answer);
  if (!held.ok()) return TableProblem(table, held);
  const bool anew =
      asked.answer.action == ContractAction::kAnew || (by_key && (effect.key_changed || needs.keys_differ));
  if (anew) {
    table->SetSchema(std::make_shared<const LaneSchema>(*std::move(schema)));
    return BeginTable(table, false, ContractOccasion::kAltered, std::move(renamed));
  }
  const bool comes_back = by_key && !needs.rows_differ && TargetHas(table, effect);
  const absl::Status changed = ChangeSchema(table, *after);
  if (!changed.ok()) return TableProblem(table, changed);
  if ((needs.rows_differ || comes_back) && by_key) return CopyAgain(table);
  return absl::OkStatus();
}

// Whether BigQuery's table has a column already that is added at the source: it was kept when another of that
// name was dropped, and rows hold what that one held.
bool Follower::TargetHas(StreamTable* table, const ddl::TableEffect& effect) {
  const LaneSchema& schema = *LaneOf(table)->schema();
  std::vector<std::string> added;
  for (const ddl::ColumnEffect& column : effect.columns) {
    if (column.kind == ddl::ColumnEffect::Kind::kAdded) added.push_back(column.name);
  }
  if (added.empty()) return false;
  const absl::StatusOr<Resource> existing = GetTable(*context_->destination.rest, schema.work.target);
  if (!existing.ok()) return true;  // to be on the safe side: what is copied once more is right
  const nlohmann::json resource = nlohmann::json::parse(existing->json, nullptr, false);
  if (!resource.is_object() || !resource.contains("schema")) return true;
  for (const auto& field : resource["schema"].value("fields", nlohmann::json::array())) {
    const std::string name = field.value("name", "");
    if (std::ranges::any_of(added,
                            [&](const std::string& each) { return absl::EqualsIgnoreCase(each, name); }))
      return true;
  }
  return false;
}

absl::Status Follower::ChangeSchema(StreamTable* table, const SourceTable& after) {
  HAKOBU_ASSIGN_OR_RETURN(LaneSchema schema, MakeLaneSchema(*context_->config, table->options_now(), after));
  HAKOBU_RETURN_IF_ERROR(Barrier());
  const TargetChange underway(table);
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<SchemaChange> changes,
                          FollowTarget(*context_, Follow::kAll, &schema));
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
  HAKOBU_RETURN_IF_ERROR(RecordContract(*context_, *table->schema(), table->options, std::nullopt));
  HAKOBU_RETURN_IF_ERROR(LaneOf(table)->Use(table->schema()));
  ++generation_;
  if (!LaneOf(table)->schema()->changes_by_key()) return OpenStream(table);
  context_->SenderOf(*table)->ChangeDescriptor(table->id, std::string(LaneOf(table)->descriptor()));
  return absl::OkStatus();
}

absl::Status Follower::CopyAgain(StreamTable* table) {
  context_->copier->Cancel(table);
  const absl::Status begun =
      table->Advance(context_->log, StreamTableEvent::kCopyAgain, [&](StreamTableRecord* record) {
        record->since = context_->clock->Now();
        record->copied_rows = 0;
        record->copy_sequence = SequenceText(JustBefore(NextPlace()));
      });
  if (table->stopped()) return absl::OkStatus();  // by a sender, meanwhile
  HAKOBU_RETURN_IF_ERROR(begun);
  CrashPoint("stream.copy_again");
  context_->copier->Add(table, boundary_.flavor == ServerFlavor::kMySql ? executed_.Text() : "");
  return absl::OkStatus();
}

absl::Status Follower::BeginTable(StreamTable* table, bool first, ContractOccasion occasion,
                                  std::map<std::string, std::string> renamed) {
  HAKOBU_RETURN_IF_ERROR(Barrier());
  context_->copier->Cancel(table);
  const TargetChange underway(table);
  LaneSchema schema = *table->schema();
  const absl::StatusOr<ContractCase> asked =
      context_->AskContractOf(table, &schema, occasion, std::move(renamed));
  absl::Status begun = asked.status();
  if (begun.ok()) begun = AnswerStatus(table->name, asked->answer);
  if (!begun.ok()) return NotBegun(table, first, begun);
  const bool of_log = occasion == ContractOccasion::kReplaced || occasion == ContractOccasion::kAltered;
  if (of_log && asked->existing.has_value()) LogContract(table->name, asked->answer);
  const Existing existing = !asked->existing.has_value() ? Existing::kNone
                            : asked->answer.make_again   ? Existing::kMakeAgain
                                                         : Existing::kStays;
  const StreamTableRecord beginning = BeginningOf(*table, schema, existing);
  absl::Status advanced = table->Advance(context_->log, StreamTableEvent::kBegin,
                                         [&](StreamTableRecord* record) { *record = beginning; });
  if (table->stopped()) return absl::OkStatus();  // by a sender, meanwhile
  HAKOBU_RETURN_IF_ERROR(advanced);
  CrashPoint("stream.table_beginning");
  begun = BeginTarget(*context_, existing, table->options, &schema);
  if (!begun.ok()) return NotBegun(table, first, begun);
  const bool stays = existing == Existing::kStays;
  HAKOBU_RETURN_IF_ERROR(RecordContract(*context_, schema, table->options, /*sweep=*/stays));
  // At the very first place the log may begin a little before its position: the set of transactions decides.
  const std::string sequence = SequenceText(
      JustBefore(first ? ChangeSequence{.epoch = static_cast<uint64_t>(boundary_.epoch)} : NextPlace()));
  if (stays && schema.mode == LaneMode::kHistory && !Sweep::Possible(schema))
    HAKOBU_RETURN_IF_ERROR(MarkHistoryEmptied(context_, schema, sequence));
  advanced = table->Advance(context_->log, StreamTableEvent::kTargetMade,
                            [&](StreamTableRecord* record) { record->copy_sequence = sequence; });
  if (table->stopped()) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(advanced);
  CrashPoint("stream.table_begun");
  table->SetSchema(std::make_shared<const LaneSchema>(std::move(schema)));
  HAKOBU_RETURN_IF_ERROR(Join(table));
  context_->copier->Add(table, boundary_.flavor == ServerFlavor::kMySql ? executed_.Text() : "");
  return absl::OkStatus();
}

// What goes on in the same history keeps its count of rows.
StreamTableRecord Follower::BeginningOf(const StreamTable& table, const LaneSchema& schema,
                                        Existing existing) {
  const StreamTableRecord before = table.record();
  StreamTableRecord record;
  record.target = schema.work.target.ToString();
  record.mode = LaneModeName(schema.mode);
  record.since = context_->clock->Now();
  if (existing == Existing::kStays && before.target == record.target && before.mode == record.mode) {
    record.write_offset = before.write_offset;
    record.write_stream = before.write_stream;
    record.write_base = before.write_base;
  }
  return record;
}

// What concerns the table alone stops it.
absl::Status Follower::NotBegun(StreamTable* table, bool first, const absl::Status& status) {
  const bool alone = status.code() == absl::StatusCode::kDataLoss ||
                     status.code() == absl::StatusCode::kInvalidArgument ||
                     status.code() == absl::StatusCode::kFailedPrecondition;
  if (!alone || first) return status;
  if (lanes_.contains(table->id)) LaneOf(table)->Forget();
  context_->StopTable(table, status);
  ++generation_;
  return context_->failure();
}

}  // namespace hakobu
