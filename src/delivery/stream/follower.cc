#include "delivery/stream/follower.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/status.h"

namespace hakobu {
namespace {

// Requests that are filled at one time, over all tables.
constexpr int64_t kMostOpenBytes = 8 << 20;
// Table ids of the log whose rows can be read at once.
constexpr size_t kMostKnownIds = 1000;

}  // namespace

Follower::Follower(StreamContext* context)
    : context_(context), executed_(*ExecutedGtids::Parse(ServerFlavor::kMySql, "")) {}

absl::Status Follower::Begin(const DeliveredPoint& position) {
  for (StreamTable* table : touched_) {
    // The transaction comes again, from its begin.
    (void)LaneOf(table)->AbortTransaction();
  }
  touched_.clear();
  in_transaction_ = undone_unseen_ = false;
  unseen_.clear();
  held_.reset();
  prepared_.clear();  // they come again
  context_->prepared.Forget();
  known_.clear();
  if (position.epoch != boundary_.epoch) {  // places of another log
    for (auto& [name, asked] : asked_) asked.place.reset();
  }
  boundary_ = position;
  context_->epoch = position.epoch;
  file_number_ = LogFileNumber(position.file).value_or(0);
  HAKOBU_ASSIGN_OR_RETURN(executed_, ExecutedGtids::Parse(position.flavor, position.gtid_set));
  return absl::OkStatus();
}

absl::Status Follower::Join(StreamTable* table) {
  std::unique_ptr<Lane>& lane = lanes_[table->id];
  if (lane == nullptr) {
    lane = std::make_unique<Lane>(table->id, pool_, [this, table](std::shared_ptr<EncodedRows> rows) {
      uint64_t ticket = 0;
      if (!context_->keeper->Issue(rows->bytes().size(), &ticket)) return false;
      context_->SenderOf(*table)->Push(table->id, std::move(rows), ticket);
      return true;
    });
  }
  const std::shared_ptr<const LaneSchema> schema = table->schema();
  HAKOBU_RETURN_IF_ERROR(lane->Use(schema));
  HAKOBU_RETURN_IF_ERROR(OpenStream(table));
  ++generation_;
  table->BeginDelivery();
  return absl::OkStatus();
}

// Changes by key may be sent twice. A history's rows may not: they go to a stream that counts them.
absl::Status Follower::OpenStream(StreamTable* table) {
  Lane* lane = LaneOf(table);
  const TableName& target = lane->schema()->work.target;
  if (lane->schema()->changes_by_key()) {
    context_->SenderOf(*table)->Open(table->id, DefaultStream(target), std::string(lane->descriptor()));
    return absl::OkStatus();
  }
  StorageWrite& storage = *context_->destination.storage;
  const StreamTableRecord record = table->record();
  uint64_t written = record.write_offset;
  if (!record.write_stream.empty()) {
    const absl::StatusOr<int64_t> rows = storage.Finalize(record.write_stream);
    if (rows.ok()) {
      written = record.write_base + static_cast<uint64_t>(*rows);
    } else if (rows.status().code() != absl::StatusCode::kNotFound) {
      return Annotate(rows.status(), table->name);
    } else {
      Log(LogSeverity::kWarning,
          "the history's write stream is gone: changes since the stored place come twice",
          {{"table", table->name}, {"stream", record.write_stream}});
    }
  }
  HAKOBU_ASSIGN_OR_RETURN(const StreamFacts stream, storage.CreateStream(target, StreamType::kCommitted));
  HAKOBU_RETURN_IF_ERROR(table->Store(context_->log, [&](StreamTableRecord* changed) {
    changed->write_stream = stream.name;
    changed->write_base = written;
  }));
  CrashPoint("stream.history_opened");
  lane->SetWritten(std::max(lane->history_rows(), record.write_offset), written);
  // A stream that the service has ended (days without a change) is followed by one that begins where it
  // ended.
  const auto next_stream = [context = context_, table, target,
                            written](uint64_t rows) -> absl::StatusOr<std::string> {
    HAKOBU_ASSIGN_OR_RETURN(const StreamFacts next,
                            context->destination.storage->CreateStream(target, StreamType::kCommitted));
    HAKOBU_RETURN_IF_ERROR(table->Store(context->log, [&](StreamTableRecord* changed) {
      changed->write_stream = next.name;
      changed->write_base = written + rows;
    }));
    Log(LogSeverity::kInfo, "the history's write stream had ended: a new one was opened",
        {{"table", table->name}});
    return next.name;
  };
  context_->SenderOf(*table)->Open(table->id, stream.name, std::string(lane->descriptor()), next_stream);
  return absl::OkStatus();
}

DeliveredPoint Follower::boundary() const {
  DeliveredPoint position = boundary_;
  position.gtid_set = executed_.Text();
  // A set can leave a prepared transaction out, so that it comes again; else everything since comes again.
  const bool by_set = position.flavor == ServerFlavor::kMySql && !position.gtid_set.empty();
  if (by_set) return position;
  for (const auto& [xid, waiting] : prepared_) {
    if (OrderInLog(waiting.before, position) < 0) position = waiting.before;
  }
  return position;
}

bool Follower::Flush() {
  if (in_transaction_) return true;
  if (context_->prepared.waiting()) DropLostPrepared();
  for (const auto& [id, lane] : lanes_) {
    if (!lane->ShipOpen()) return false;
  }
  open_bytes_ = 0;
  open_since_ = absl::InfiniteFuture();
  if (!moved_) return true;
  LogMark mark;
  mark.position = boundary();
  mark.whole_until = whole_until_;
  if (schemas_changed_) mark.schemas_json = std::make_shared<const std::string>(schemas_->ToJson());
  schemas_changed_ = false;
  for (const auto& [id, lane] : lanes_) {
    if (lane->schema()->mode == LaneMode::kHistory) mark.history_rows[id] = lane->history_rows();
  }
  context_->keeper->Mark(std::move(mark));
  moved_ = false;
  return true;
}

bool Follower::Finish() {
  for (StreamTable* table : touched_) (void)LaneOf(table)->AbortTransaction();
  touched_.clear();
  in_transaction_ = false;
  return Flush();
}

bool Follower::FlushIfDue() {
  if (in_transaction_ || !moved_) return true;
  const absl::Time now = context_->clock->Now();
  if (open_since_ == absl::InfiniteFuture()) open_since_ = now;
  const bool waited = now - open_since_ >= context_->config->stream.flush_interval;
  if (!waited && open_bytes_ < kMostOpenBytes) return true;
  return Flush();
}

ChangeSequence Follower::PlaceOf(const binlog::LogContext& context) const {
  return {static_cast<uint64_t>(boundary_.epoch), file_number_, context.position,
          uint64_t{context.event_in_transaction} << 32};
}

absl::StatusOr<Follower::Known*> Follower::Find(const binlog::TableMap& map) {
  // Servers give tables new ids all the time: those of old ones need no memory.
  if (known_.size() >= kMostKnownIds && !known_.contains(map.table_id)) known_.clear();
  Known& known = known_[map.table_id];
  if (known.generation == generation_ && known.map == map) return &known;
  known.map = map;
  known.generation = generation_;
  known.decoder.reset();
  known.table = context_->tables.Find(fmt::format("{}.{}", map.database, map.table));
  if (known.table != nullptr && !known.table->delivered) known.table = nullptr;
  if (known.table == nullptr) return &known;
  const absl::Status ready = MakeReady(&known);
  if (!ready.ok()) {
    HAKOBU_RETURN_IF_ERROR(Unfit(&known, ready));
    known.table = nullptr;
  }
  return &known;
}

// The table map is held against the table as it is known here; where it says more, it is believed.
absl::Status Follower::MakeReady(Known* known) {
  Lane* lane = LaneOf(known->table);
  HAKOBU_ASSIGN_OR_RETURN(
      ddl::Reconciled reconciled,
      ddl::Reconcile(known->map, schemas_->FindDefinition(known->map.database, known->map.table),
                     schemas_->dialect()));
  if (!reconciled.differences.empty()) {
    Log(LogSeverity::kWarning, "the log says otherwise than the statements before it, and is believed",
        {{"table", known->table->name},
         {"differences", fmt::format("{}", fmt::join(reconciled.differences, "; "))}});
    SourceTable visible = reconciled.table;
    visible.columns.resize(visible.columns.size() - reconciled.hidden_columns);
    schemas_->Replace(visible);
    schemas_changed_ = true;
    HAKOBU_RETURN_IF_ERROR(ChangeSchema(known->table, visible));
    known->generation = generation_;
  }
  absl::StatusOr<binlog::RowImageDecoder> decoder =
      binlog::RowImageDecoder::Create(known->map, &reconciled.table, binlog::UnknownColumns::kRefuse);
  if (reconciled.table.columns.size() - reconciled.hidden_columns != lane->schema()->base.columns.size()) {
    return absl::FailedPreconditionError(fmt::format("{}: the log has {} columns at this place, the table {}",
                                                     known->table->name, known->map.columns.size(),
                                                     lane->schema()->base.columns.size()));
  }
  HAKOBU_RETURN_IF_ERROR(decoder.status());
  if (reconciled.row_end.has_value()) decoder->LeaveOutHistory(*reconciled.row_end);
  known->decoder.emplace(*std::move(decoder));
  return absl::OkStatus();
}

// Not OK when the problem is not the table's alone.
absl::Status Follower::TableProblem(StreamTable* table, const absl::Status& status) {
  if (status.code() == absl::StatusCode::kCancelled) return status;
  LaneOf(table)->Forget();
  context_->StopTable(table, status);
  ++generation_;
  return context_->failure();
}

void Follower::Count(StreamTable* table) {
  const Lane& lane = *LaneOf(table);
  table->inserts = lane.inserts();
  table->updates = lane.updates();
  table->deletes = lane.deletes();
  table->bytes = lane.bytes();
  table->quarantined = lane.quarantine().values();
}

absl::Status Follower::OnBegin(const binlog::LogContext& context) {
  in_transaction_ = true;
  undone_unseen_ = false;
  unseen_.clear();
  if (!context.xid.empty()) held_ = std::make_unique<HeldTransaction>();
  return absl::OkStatus();
}

absl::Status Follower::OnRows(const binlog::LogContext& context, const binlog::TableMap& map,
                              const binlog::RowsEvent& rows) {
  if (held_ == nullptr) return TakeRows(context, PlaceOf(context), map, rows);
  // Also of tables that are not delivered: they may be by the time the transaction commits.
  if (context_->tables.Find(fmt::format("{}.{}", map.database, map.table)) == nullptr)
    return absl::OkStatus();
  return held_->Add(context, PlaceOf(context), map, rows);
}

absl::Status Follower::TakeRows(const binlog::LogContext& context, const ChangeSequence& place,
                                const binlog::TableMap& map, const binlog::RowsEvent& rows) {
  HAKOBU_ASSIGN_OR_RETURN(Known * known, Find(map));
  StreamTable* table = known->table;
  if (table == nullptr) return absl::OkStatus();
  Lane* lane = LaneOf(table);
  if (!table->delivered) {  // its sender gave up
    lane->Forget();
    known->table = nullptr;
    return absl::OkStatus();
  }
  if (!rows.HasAllColumns()) {
    return TableProblem(
        table,
        WithHint(absl::InvalidArgumentError(fmt::format("{}: a row in the log lacks columns", table->name)),
                 "set binlog_row_image=FULL on the source"));
  }
  if (!lane->in_transaction()) touched_.push_back(table);
  events_.fetch_add(1, std::memory_order_relaxed);
  open_bytes_ -= static_cast<int64_t>(lane->open_bytes());
  const absl::Status taken = lane->Take(context, place, rows, &*known->decoder);
  open_bytes_ += static_cast<int64_t>(lane->open_bytes());
  return taken.ok() ? taken : TableProblem(table, Annotate(taken, table->name));
}

void Follower::EndedAt(const binlog::LogContext& context) {
  executed_.Add(context.gtid);
  boundary_.file = context.file;
  boundary_.offset = context.next_position;
  boundary_.committed = std::min(absl::FromUnixMicros(context.committed_us()), latest_);
  whole_until_ = std::max(whole_until_, boundary_.committed);
  moved_ = true;
  transactions_.fetch_add(1, std::memory_order_relaxed);
}

void Follower::EndLanes() {
  for (StreamTable* table : touched_) {
    Count(table);
    LaneOf(table)->EndTransaction();
  }
  touched_.clear();
}

absl::Status Follower::OnEnd(const binlog::LogContext& context, binlog::TransactionEnd end) {
  in_transaction_ = false;
  if (end == binlog::TransactionEnd::kXaPrepare) return Prepared(context);
  if (end == binlog::TransactionEnd::kRollback) {
    held_.reset();
    undone_unseen_ = false;
    unseen_.clear();
    const std::vector<StreamTable*> touched = std::move(touched_);
    touched_.clear();
    for (StreamTable* table : touched) {
      Count(table);
      if (LaneOf(table)->AbortTransaction()) continue;
      HAKOBU_RETURN_IF_ERROR(TableProblem(
          table, absl::DataLossError("a large transaction was rolled back after its rows had been sent")));
    }
  }
  HAKOBU_RETURN_IF_ERROR(TakeHeld(context));
  if (undone_unseen_) {
    for (StreamTable* table : touched_)
      unseen_.emplace_back(table, "a part of a transaction was undone, and the log does not say which");
  }
  EndLanes();
  EndedAt(context);
  for (const auto& [table, reason] : std::exchange(unseen_, {})) {
    HAKOBU_RETURN_IF_ERROR(ChangedUnseen(table, reason));
  }
  return absl::OkStatus();
}

absl::Status Follower::OnRotate(const binlog::LogContext& context) {
  file_number_ = LogFileNumber(context.file).value_or(0);
  if (in_transaction_) return absl::OkStatus();
  // By GTID the server begins at the start of a file and leaves out what was seen: that is no way back.
  if (OrderInLog(LogPoint::At(context.file, context.next_position), boundary_) <= 0) return absl::OkStatus();
  if (boundary_.file != context.file) boundary_.identity = {};  // comes with its first event
  boundary_.file = context.file;
  boundary_.offset = context.next_position;
  moved_ = true;
  return absl::OkStatus();
}

absl::Status Follower::OnHeartbeat(const binlog::LogContext& context) {
  // Sent only when there is nothing else to send: what lies before its position was sent, or is in our GTID
  // set.
  if (in_transaction_) return absl::OkStatus();
  if (context.file == boundary_.file) boundary_.offset = std::max(boundary_.offset, context.next_position);
  whole_until_ = std::max(whole_until_, proven_);
  moved_ = true;
  return absl::OkStatus();
}

}  // namespace hakobu
