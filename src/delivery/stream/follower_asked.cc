// Tables of which the log's statements do not tell enough: the server is asked, and they begin anew where its
// answer holds.
#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"
#include "delivery/stream/copier.h"
#include "delivery/stream/follower.h"

namespace hakobu {
namespace {

// So many times all tables begin anew for what cannot be read; then they are stopped, rather than read over
// and over.
constexpr int kMostUnreadables = 3;

}  // namespace

absl::Status Follower::AskAnew(const ddl::TableName& name, const std::string& reason) {
  const std::string full = fmt::format("{}.{}", name.database, name.table);
  HAKOBU_ASSIGN_OR_RETURN(StreamTable * table, Wanted(name));
  if (table == nullptr) return absl::OkStatus();
  if (table->stopped() || asked_.contains(full)) return absl::OkStatus();
  if (table->delivered && !LaneOf(table)->schema()->changes_by_key()) {
    // A history cannot begin anew: what it has is nowhere else.
    return TableProblem(table, absl::DataLossError(fmt::format("{}: {}", full, reason)));
  }
  Log(LogSeverity::kWarning, "the server is asked for a table", {{"table", full}, {"reason", reason}});
  if (table->delivered) {
    HAKOBU_RETURN_IF_ERROR(Barrier());
    context_->copier->Cancel(table);
    table->delivered = false;
    ++generation_;
  }
  // A restart begins it anew, too.
  if (table->record().state != StreamTableState::kNone) {
    HAKOBU_RETURN_IF_ERROR(
        table->Advance(context_->log, StreamTableEvent::kBegin, [&](StreamTableRecord* record) {
          record->reason = reason;
          record->since = context_->clock->Now();
        }));
    CrashPoint("stream.table_asked");
  }
  asked_[full] = {.name = name, .reason = reason, .definition = {}, .place = {}};
  asked_count_ = asked_.size();
  context_->table_watch->Ask();
  return absl::OkStatus();
}

absl::Status Follower::Unfit(Known* known, const absl::Status& why) {
  const bool told = why.code() == absl::StatusCode::kFailedPrecondition ||
                    why.code() == absl::StatusCode::kNotFound ||
                    why.code() == absl::StatusCode::kUnimplemented;
  const std::string name = known->table->name;
  if (!told || answered_.contains(name)) return TableProblem(known->table, why);
  return AskAnew({known->map.database, known->map.table}, std::string(View(why.message())));
}

absl::Status Follower::Ask(const std::string& name, Asked* asked) {
  StreamTable* table = context_->tables.Find(name);
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> source, Connection::Open(context_->connect));
  absl::StatusOr<TableAnswer> answer = AskForTable(source.get(), asked->name.database, asked->name.table);
  if (!answer.ok() && answer.status().code() == absl::StatusCode::kUnavailable) return answer.status();
  if (!answer.ok()) {
    context_->StopTable(table, answer.status());
    asked_.erase(name);
    return context_->failure();
  }
  if (answer->definition.has_value()) {
    asked->definition = std::move(answer->definition);
    asked->place = std::move(answer->place);
    return absl::OkStatus();
  }
  asked_.erase(name);
  if (table->record().state == StreamTableState::kNone) return absl::OkStatus();  // it came and went
  return table->Advance(context_->log, StreamTableEvent::kDrop, [&](StreamTableRecord* record) {
    record->reason = "gone from the source";
    record->since = context_->clock->Now();
  });
}

absl::Status Follower::BeginAsked(const std::string& name, Asked asked) {
  StreamTable* table = context_->tables.Find(name);
  schemas_->Replace(*asked.definition);
  schemas_changed_ = true;
  absl::StatusOr<LaneSchema> schema =
      MakeLaneSchema(*context_->config, table->options_now(), std::move(asked.definition->table));
  absl::Status usable = schema.status();
  if (usable.ok()) usable = context_->CheckTarget(*table, schema->work.target);
  if (!usable.ok()) {
    context_->StopTable(table, usable);
    return context_->failure();
  }
  Log(LogSeverity::kInfo, "table begins as the server has it", {{"table", name}, {"reason", asked.reason}});
  table->SetSchema(std::make_shared<const LaneSchema>(*std::move(schema)));
  answered_.insert(name);
  moved_ = true;
  return BeginTable(table, false, ContractOccasion::kReplaced);
}

// What the server has, and the stream does not: made by what could not be read, renamed from where nobody
// looks, or made before the stream's first place and after the tables were listed.
absl::Status Follower::LookAt(const TableList& list) {
  for (const ddl::TableName& name : list.tables) {
    const StreamTable* table = context_->tables.Find(fmt::format("{}.{}", name.database, name.table));
    const StreamTableState state = table == nullptr ? StreamTableState::kNone : table->record().state;
    if (state != StreamTableState::kNone && state != StreamTableState::kDropped) continue;
    HAKOBU_RETURN_IF_ERROR(AskAnew(name, "the source has it, and the log did not tell of it"));
  }
  return absl::OkStatus();
}

absl::Status Follower::Settle(const binlog::LogContext& context) {
  if (in_transaction_) return absl::OkStatus();
  if (!unreadable_.empty()) {
    const std::string reason = std::exchange(unreadable_, {});
    const bool stops = ++unreadables_ > kMostUnreadables;
    for (StreamTable* table : context_->tables.all()) {
      if (!table->delivered) continue;
      HAKOBU_RETURN_IF_ERROR(stops ? TableProblem(table, absl::DataLossError(reason))
                                   : ChangedUnseen(table, reason));
    }
  }
  // Files begin with events of their own, which move no boundary.
  if (context.file == boundary_.file && context.next_position > boundary_.offset) {
    boundary_.offset = context.next_position;
  }
  context_->SetFollowed(ChangeSequence::At(boundary_, boundary_.epoch));
  if (asked_.empty() && !context_->table_watch->has_list()) return absl::OkStatus();
  const auto has_come = [&](const LogPoint& place) { return OrderInLog(place, boundary_) <= 0; };
  if (const std::optional<TableList> list = context_->table_watch->Take(has_come)) {
    HAKOBU_RETURN_IF_ERROR(LookAt(*list));
  }
  for (auto at = asked_.begin(); at != asked_.end();) {
    const std::string name = at->first;
    if (!at->second.place.has_value()) HAKOBU_RETURN_IF_ERROR(Ask(name, &at->second));
    at = asked_.lower_bound(name);
    if (at == asked_.end() || at->first != name) continue;  // it is not there
    if (OrderInLog(boundary_, *at->second.place) < 0) {
      ++at;
      continue;
    }
    Asked asked = std::move(at->second);
    at = asked_.erase(at);
    HAKOBU_RETURN_IF_ERROR(BeginAsked(name, std::move(asked)));
  }
  asked_count_ = asked_.size();
  return absl::OkStatus();
}

absl::Status Follower::OnUnreadable(const binlog::LogContext& context,
                                    const std::vector<binlog::TableMap>& tables,
                                    const absl::Status& problem) {
  for (const binlog::TableMap& map : tables) {
    StreamTable* table = context_->tables.Find(fmt::format("{}.{}", map.database, map.table));
    if (table != nullptr && table->delivered)
      HAKOBU_RETURN_IF_ERROR(TableProblem(table, Annotate(problem, table->name)));
  }
  if (tables.empty()) unreadable_ = std::string(View(problem.message()));
  if (!in_transaction_) EndedAt(context);
  return absl::OkStatus();
}

}  // namespace hakobu
