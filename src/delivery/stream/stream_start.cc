#include "delivery/stream/stream_start.h"

#include <fmt/format.h>

#include <memory>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/preflight/check_stream.h"
#include "delivery/stream/caveat.h"
#include "delivery/stream/copier.h"
#include "delivery/stream/ddl_history.h"
#include "delivery/stream/start_point.h"
#include "delivery/stream/table_inquiry.h"

namespace hakobu {

absl::Status StreamStart::Prepare() {
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> source, Connection::Open(context_->connect));
  HAKOBU_RETURN_IF_ERROR(CheckMayReadLog(source.get()));
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<DeliveredPoint> stored, context_->log->Position());
  if (stored.has_value()) position_ = *stored;
  first_ = !stored.has_value();
  HAKOBU_RETURN_IF_ERROR(SelectStreamTables(source.get()));
  HAKOBU_RETURN_IF_ERROR(contracts_.Ask(source.get(), first_, &position_));
  // Once all is known to be right: what is refused has touched nothing.
  HAKOBU_RETURN_IF_ERROR(EnsureStreamDataset(*context_));
  if (context_->ddl_history != nullptr) HAKOBU_RETURN_IF_ERROR(context_->ddl_history->Begin());
  if (first_) {
    position_.stored = context_->clock->Now();
    HAKOBU_RETURN_IF_ERROR(context_->log->StorePosition(position_, {}, follower_->schemas()->ToJson()));
    CrashPoint("stream.begun");
  }
  HAKOBU_RETURN_IF_ERROR(follower_->Begin(position_));
  for (StreamTable* table : context_->tables.all()) HAKOBU_RETURN_IF_ERROR(JoinTable(table));
  HAKOBU_ASSIGN_OR_RETURN(goal_, ReadLogPoint(source.get()));
  return absl::OkStatus();
}

absl::Status StreamStart::SelectStreamTables(Connection* source) {
  Problems problems;
  const std::vector<TableWork> works =
      SelectTables(*context_->config, {}, source, &problems, DeliveredBy::kStream);
  HAKOBU_RETURN_IF_ERROR(problems.Status());
  if (works.empty()) {
    return WithHint(absl::InvalidArgumentError("there is no table to stream"),
                    "say `mode: stream` for the tables that `hakobu stream` is to follow");
  }
  std::set<std::string> databases;
  for (const TableWork& work : works) databases.insert(work.source.database);
  HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<SchemaFollower> follower, OpenSchemas(source, databases));
  for (const TableWork& work : works) {
    // As it was at the place where reading begins; a table that is new to the stream, as it is now.
    const SourceTable* known = follower->Find(work.source.database, work.source.name);
    // The log tells of it, or the list of tables that is made once it is followed.
    const bool absent = known == nullptr && !follower->IsThere({work.source.database, work.source.name});
    if (absent && (first_ || follower->IsYetToCome(work.source.database, work.source.name))) continue;
    if (absent) follower->Replace(work.source);
    HAKOBU_ASSIGN_OR_RETURN(const bool keeps_history,
                            StaysHistory(*context_->config, context_->ledger, work));
    TableOptions options = work.options;
    options.history = options.history || keeps_history;
    absl::StatusOr<LaneSchema> schema =
        MakeLaneSchema(*context_->config, options, known == nullptr ? work.source : *known);
    problems.Add(schema.status());
    if (!schema.ok()) continue;
    if (context_->ddl_history != nullptr && schema->work.target == context_->ddl_history->target()) {
      problems.Add(
          WithHint(absl::InvalidArgumentError(fmt::format("stream.ddl_history: {} is delivered to {} too",
                                                          work.name, schema->work.target.ToString())),
                   "give the history a name of its own"));
      continue;
    }
    StreamTable* const table = context_->tables.Add(work.name, work.options);
    problems.Add(context_->CheckTarget(*table, schema->work.target));
    if (keeps_history) table->KeepHistory();
    table->SetSchema(std::make_shared<const LaneSchema>(*std::move(schema)));
  }
  HAKOBU_RETURN_IF_ERROR(TakeCaveats(context_, source, databases));
  follower->FollowAlso([this](std::string_view database) { return MayStream(*context_->config, database); });
  follower_->UseSchemas(std::move(follower));
  HAKOBU_RETURN_IF_ERROR(problems.Status());
  return LoadRecords();
}

// At the first start: a place and what the tables look like there, which is so when they look the same
// before and after the place was read.
absl::StatusOr<std::unique_ptr<SchemaFollower>> StreamStart::OpenSchemas(
    Connection* source, const std::set<std::string>& databases) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string stored, context_->log->Schemas());
  if (!first_) return SchemaFollower::Open(source, databases, stored);
  constexpr int kReadings = 20;
  HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<SchemaFollower> before,
                          SchemaFollower::Open(source, databases, ""));
  for (int reading = 0; reading < kReadings; ++reading) {
    HAKOBU_ASSIGN_OR_RETURN(StartPoint first, FirstStart(context_, source, databases));
    position_ = std::move(first.position);
    HAKOBU_ASSIGN_OR_RETURN(std::unique_ptr<SchemaFollower> after,
                            SchemaFollower::Open(source, databases, ""));
    if (after->Shape() == before->Shape()) return after;
    before = std::move(after);
  }
  return WithHint(absl::UnavailableError("the source's tables change faster than they can be read"),
                  "start the stream when no DDL is running");
}

// A table that the source does not have any more is followed to the place where the log drops it.
absl::Status StreamStart::AddGoneTable(const StreamTableRecord& record) {
  if (record.state == StreamTableState::kDropped || record.state == StreamTableState::kStopped)
    return absl::OkStatus();
  for (const ddl::TableName& name : follower_->schemas()->Tables()) {
    if (fmt::format("{}.{}", name.database, name.table) != record.source) continue;
    const TableRule* rule = FindRule(*context_->config, name.database, name.table);
    const SourceTable* known = follower_->schemas()->Find(name.database, name.table);
    if (rule == nullptr || rule->options.mode != TableMode::kStream || known == nullptr) break;
    const TableOptions options = OptionsFor(*context_->config, *rule, name.database, name.table);
    absl::StatusOr<LaneSchema> schema = MakeLaneSchema(*context_->config, options, *known);
    if (!schema.ok()) break;
    context_->tables.Add(record.source, options)
        ->SetSchema(std::make_shared<const LaneSchema>(*std::move(schema)));
    break;
  }
  return absl::OkStatus();
}

// Tables that are no longer in the configuration miss changes from now on: they are copied anew when they
// come back.
absl::Status StreamStart::LoadRecords() {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<StreamTableRecord> records, context_->log->Tables());
  for (StreamTableRecord record : records) {
    if (context_->tables.Find(record.source) == nullptr) HAKOBU_RETURN_IF_ERROR(AddGoneTable(record));
    if (StreamTable* table = context_->tables.Find(record.source); table != nullptr) {
      table->SetRecord(std::move(record));
      continue;
    }
    if (record.state == StreamTableState::kDropped) continue;
    const absl::Status forgotten = context_->log
                                       ->Advance(record.source, StreamTableEvent::kForget,
                                                 [&](StreamTableRecord* gone) {
                                                   gone->reason = "not in the configuration any more";
                                                   gone->since = context_->clock->Now();
                                                 })
                                       .status();
    HAKOBU_RETURN_IF_ERROR(forgotten);
  }
  return absl::OkStatus();
}

absl::Status StreamStart::JoinTable(StreamTable* table) {
  const StreamTableRecord record = table->record();
  if (record.state == StreamTableState::kStopped) {
    Log(LogSeverity::kWarning, "table is stopped", {{"table", table->name}, {"reason", record.reason}});
    return absl::OkStatus();
  }
  const SourceTable& base = table->schema()->base;
  if (follower_->schemas()->Find(base.database, base.name) == nullptr) {
    return follower_->AskAnew({base.database, base.name},
                              "what the log's statements made of it is not known");
  }
  const ContractAnswer& answer = contracts_.AnswerFor(table);
  const absl::Status held = AnswerStatus(table->name, answer);
  if (!held.ok()) {
    if (first_) return held;
    context_->StopTable(table, held);
    return context_->failure();
  }
  LaneSchema schema = *table->schema();
  const bool anew = answer.action == ContractAction::kAnew || BeginsAnew(record, schema);
  if (!anew || record.state != StreamTableState::kNone) LogContract(table->name, answer);
  if (anew) return follower_->BeginTable(table, first_, OccasionOf(record));
  const absl::Status followed = FollowTarget(*context_, Follow::kAddOnly, &schema).status();
  if (followed.code() == absl::StatusCode::kNotFound || followed.code() == absl::StatusCode::kDataLoss) {
    context_->StopTable(table, followed);
    return context_->failure();
  }
  HAKOBU_RETURN_IF_ERROR(followed);
  HAKOBU_RETURN_IF_ERROR(FollowSettings(*context_, schema));
  HAKOBU_RETURN_IF_ERROR(RecordContract(*context_, schema, table->options, std::nullopt));
  table->SetSchema(std::make_shared<const LaneSchema>(std::move(schema)));
  HAKOBU_RETURN_IF_ERROR(follower_->Join(table));
  HAKOBU_RETURN_IF_ERROR(KeepCaveat(context_, table));
  if (IsCopying(record.state)) context_->copier->Add(table, "");
  return absl::OkStatus();
}

}  // namespace hakobu
