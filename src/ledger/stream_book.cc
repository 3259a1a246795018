#include "ledger/stream_book.h"

#include <map>

#include "base/check.h"
#include "base/status.h"
#include "ledger/stream_chunks.h"

namespace hakobu {

RecordTable<StreamChunkRecord> StreamChunkTable(std::string_view name) {
  using R = StreamChunkRecord;
  return RecordTable<R>(
      name, {"source"}, 1,
      {ColumnOf<&R::number>("number"), ColumnOf<&R::bounds_json>("bounds_json"), ColumnOf<&R::done>("done"),
       ColumnOf<&R::rows>("rows"), ColumnOf<&R::write_stream>("write_stream")});
}

// For ColumnOf.
static void BindValue(SqliteRows* rows, const LogFileIdentity& value) {
  rows->Bind(value.Text());
}
static void ReadValue(const SqliteRows& rows, int column, LogFileIdentity* value) {
  *value = LogFileIdentity::Parse(rows.Text(column));
}

namespace {

const RecordTable<StreamChunkRecord>& StreamChunkRows() {
  static const auto* const table = new RecordTable<StreamChunkRecord>(StreamChunkTable("stream_chunks"));
  return *table;
}

// One position, one set of schemas, one state of health: their key is always 1.
constexpr int64_t kOnly = 1;

const RecordTable<DeliveredPoint>& PositionRows() {
  using R = DeliveredPoint;
  static const auto* const table = new RecordTable<R>(
      "stream_position", {"id"}, 0,
      {ColumnOf<&R::epoch>("epoch"), ColumnIn<R, &R::flavor>("flavor"),
       ColumnIn<R, &R::server_uuid>("server_uuid"), ColumnIn<R, &R::server_id>("server_id"),
       ColumnIn<R, &R::file>("file"), ColumnIn<R, &R::offset>("file_offset"),
       ColumnOf<&R::identity>("file_identity"), ColumnIn<R, &R::gtid_set>("gtid_set"),
       ColumnOf<&R::committed>("log_time_us"), ColumnOf<&R::stored>("stored_us")});
  return *table;
}

struct StoredSchemas {
  std::string schemas_json{};
};

const RecordTable<StoredSchemas>& StoredSchemaRows() {
  static const auto* const table = new RecordTable<StoredSchemas>(
      "stream_schemas", {"id"}, 0, {ColumnOf<&StoredSchemas::schemas_json>("schemas_json")});
  return *table;
}

const RecordTable<StreamTableRecord>& StreamTableRows() {
  using R = StreamTableRecord;
  static const auto* const table = new RecordTable<R>(
      "stream_tables", {}, 1,
      {ColumnOf<&R::source>("source"), ColumnOf<&R::target>("target"), ColumnOf<&R::mode>("mode"),
       ColumnOf<&R::state>("state"), ColumnOf<&R::reason>("reason"), ColumnOf<&R::since>("since_us"),
       ColumnOf<&R::copy_sequence>("copy_sequence"), ColumnOf<&R::whole_epoch>("whole_epoch"),
       ColumnOf<&R::whole_file>("whole_file"), ColumnOf<&R::whole_offset>("whole_offset"),
       ColumnOf<&R::write_stream>("write_stream"), ColumnOf<&R::write_offset>("write_offset"),
       ColumnOf<&R::copied_rows>("copied_rows"), ColumnOf<&R::write_base>("write_base")});
  return *table;
}

const RecordTable<StreamHealth>& HealthRows() {
  using R = StreamHealth;
  static const auto* const table = new RecordTable<R>(
      "stream_health", {"id"}, 0,
      {ColumnOf<&R::looked>("looked_us"), ColumnOf<&R::fresh_until>("fresh_until_us"),
       ColumnOf<&R::lag_bytes>("lag_bytes"), ColumnOf<&R::headroom_seconds>("headroom_seconds"),
       ColumnOf<&R::stalled_seconds>("stalled_seconds"), ColumnOf<&R::headroom>("headroom")});
  return *table;
}

const RecordTable<StreamGapRecord>& GapRows() {
  using R = StreamGapRecord;
  static const auto* const table = new RecordTable<R>(
      "stream_gaps", {}, 1,
      {ColumnOf<&R::id>("id"), ColumnOf<&R::from_gtid>("from_gtid"), ColumnOf<&R::to_gtid>("to_gtid"),
       ColumnOf<&R::from_file>("from_file"), ColumnOf<&R::from_offset>("from_offset"),
       ColumnOf<&R::to_file>("to_file"), ColumnOf<&R::to_offset>("to_offset"),
       ColumnOf<&R::from_time>("from_us"), ColumnOf<&R::to_time>("to_us"), ColumnOf<&R::cause>("cause"),
       ColumnOf<&R::detail_json>("detail_json"), ColumnOf<&R::tables_json>("tables_json"),
       ColumnOf<&R::state>("state"), ColumnOf<&R::opened>("opened_us"), ColumnOf<&R::closed>("closed_us"),
       ColumnOf<&R::proof_json>("proof_json")});
  return *table;
}

constexpr char kCountChunks[] = "SELECT source, count(*), sum(done) FROM stream_chunks GROUP BY source";

// With how many chunks its copy has.
absl::StatusOr<std::optional<StreamTableRecord>> ReadTable(Session* session, const std::string& source) {
  HAKOBU_ASSIGN_OR_RETURN(std::optional<StreamTableRecord> table,
                          session->ReadFirst(StreamTableRows(), "WHERE source = ?", source));
  if (!table.has_value()) return table;
  HAKOBU_RETURN_IF_ERROR(session->ForEach(
      "SELECT count(*), coalesce(sum(done), 0) FROM stream_chunks WHERE source = ?",
      [&](const SqliteRows& rows) {
        ReadValue(rows, 0, &table->chunks);
        ReadValue(rows, 1, &table->chunks_done);
      },
      source));
  return table;
}

bool BeginsCopy(StreamTableEvent event) {
  return event == StreamTableEvent::kBegin || event == StreamTableEvent::kTargetMade ||
         event == StreamTableEvent::kCopyAgain;
}

// Within a transaction: `event` absent for a change that leaves the state alone.
absl::StatusOr<StreamTableRecord> ChangeTable(Session* session, const std::string& source,
                                              std::optional<StreamTableEvent> event,
                                              absl::FunctionRef<void(StreamTableRecord*)> change) {
  HAKOBU_ASSIGN_OR_RETURN(std::optional<StreamTableRecord> known, ReadTable(session, source));
  StreamTableRecord table = std::move(known).value_or(StreamTableRecord{.source = source});
  StreamTableState state = table.state;
  if (event.has_value()) {
    const absl::StatusOr<StreamTableState> next = Next(state, *event);
    if (!next.ok()) return Annotate(next.status(), source);
    state = *next;
  }
  change(&table);
  table.source = source;
  table.state = state;
  HAKOBU_RETURN_IF_ERROR(session->Put(StreamTableRows(), table));
  if (event.has_value() && BeginsCopy(*event)) {
    HAKOBU_RETURN_IF_ERROR(session->Run("DELETE FROM stream_chunks WHERE source = ?", source));
    table.chunks = table.chunks_done = 0;
  }
  return table;
}

absl::Status WriteProgress(Session* session, const StreamTableProgress& progress) {
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<StreamTableRecord> known, ReadTable(session, progress.source));
  const StreamTableRecord& table = known.has_value() ? *known : StreamTableRecord();
  std::optional<StreamTableEvent> event = progress.event;
  const bool of_another_copy =
      !progress.copy_sequence.empty() && progress.copy_sequence != table.copy_sequence;
  if (event.has_value() && (of_another_copy || !Next(table.state, *event).ok())) event.reset();
  if (!known.has_value() || (!event.has_value() && !progress.write_offset.has_value()))
    return absl::OkStatus();
  return ChangeTable(session, progress.source, event,
                     [&](StreamTableRecord* changed) {
                       if (progress.write_offset.has_value()) changed->write_offset = *progress.write_offset;
                       if (!event.has_value()) return;
                       changed->reason = progress.reason;
                       changed->since = progress.since;
                     })
      .status();
}

}  // namespace

absl::StatusOr<std::optional<DeliveredPoint>> StreamBook::Position() {
  return Session(file_).ReadFirst(PositionRows(), "WHERE id = ?", kOnly);
}

absl::Status StreamBook::StorePosition(const DeliveredPoint& position,
                                       const std::vector<StreamTableProgress>& tables,
                                       const std::optional<std::string>& schemas_json) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_CHECK(position.epoch > 0, "a place without an epoch would be stored: later ones could be older",
               kStartAgain);
  HAKOBU_RETURN_IF_ERROR(session.Put(PositionRows(), position, kOnly));
  for (const StreamTableProgress& table : tables) HAKOBU_RETURN_IF_ERROR(WriteProgress(&session, table));
  if (schemas_json.has_value()) {
    HAKOBU_RETURN_IF_ERROR(session.Put(StoredSchemaRows(), StoredSchemas{*schemas_json}, kOnly));
  }
  return session.Commit();
}

absl::StatusOr<std::string> StreamBook::Schemas() {
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                          Session(file_).ReadValueOf<std::string>("SELECT schemas_json FROM stream_schemas"));
  return stored.value_or("");
}

absl::StatusOr<std::vector<StreamTableRecord>> StreamBook::Tables() {
  Session session(file_);
  HAKOBU_ASSIGN_OR_RETURN(std::vector<StreamTableRecord> tables,
                          session.Read(StreamTableRows(), "ORDER BY source"));
  std::map<std::string, StreamTableRecord*> by_source;
  for (StreamTableRecord& table : tables) by_source[table.source] = &table;
  HAKOBU_RETURN_IF_ERROR(session.ForEach(kCountChunks, [&](const SqliteRows& rows) {
    const auto found = by_source.find(rows.Text(0));
    if (found == by_source.end()) return;
    ReadValue(rows, 1, &found->second->chunks);
    ReadValue(rows, 2, &found->second->chunks_done);
  }));
  return tables;
}

absl::StatusOr<std::optional<StreamTableRecord>> StreamBook::Find(const std::string& source) {
  Session session(file_);
  return ReadTable(&session, source);
}

absl::StatusOr<StreamTableRecord> StreamBook::Advance(const std::string& source, StreamTableEvent event,
                                                      absl::FunctionRef<void(StreamTableRecord*)> change) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_ASSIGN_OR_RETURN(StreamTableRecord table, ChangeTable(&session, source, event, change));
  HAKOBU_RETURN_IF_ERROR(session.Commit());
  return table;
}

absl::StatusOr<StreamTableRecord> StreamBook::Change(const std::string& source,
                                                     absl::FunctionRef<void(StreamTableRecord*)> change) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_ASSIGN_OR_RETURN(StreamTableRecord table, ChangeTable(&session, source, std::nullopt, change));
  HAKOBU_RETURN_IF_ERROR(session.Commit());
  return table;
}

absl::Status StreamBook::PlanCopy(const std::string& source, const std::string& copy_sequence,
                                  const std::vector<StreamChunkRecord>& chunks) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<StreamTableRecord> table, ReadTable(&session, source));
  const bool copying = table.has_value() && IsCopying(table->state) && table->copy_sequence == copy_sequence;
  if (!copying) {
    return absl::FailedPreconditionError(
        source + ": the copy that was planned is not under way any more: the table is " +
        (table.has_value() ? std::string(NameOf(table->state)) : "not known"));
  }
  HAKOBU_RETURN_IF_ERROR(session.Run("DELETE FROM stream_chunks WHERE source = ?", source));
  for (size_t i = 0; i < chunks.size(); ++i) {
    HAKOBU_CHECK(chunks[i].number == i && !chunks[i].done,
                 "a copy is planned of chunks that are not in order, or done", kStartAgain);
    HAKOBU_RETURN_IF_ERROR(session.Insert(StreamChunkRows(), chunks[i], source));
  }
  return session.Commit();
}

absl::StatusOr<std::vector<StreamChunkRecord>> StreamBook::Chunks(const std::string& source) {
  return Session(file_).Read(StreamChunkRows(), "WHERE source = ? ORDER BY number", source);
}

absl::Status StreamBook::StoreChunk(const std::string& source, const StreamChunkRecord& chunk) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_RETURN_IF_ERROR(session.Put(StreamChunkRows(), chunk, source));
  return session.Commit();
}

absl::Status StreamBook::StoreHealth(const StreamHealth& health) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_RETURN_IF_ERROR(session.Put(HealthRows(), health, kOnly));
  return session.Commit();
}

absl::StatusOr<std::optional<StreamHealth>> StreamBook::Health() {
  return Session(file_).ReadFirst(HealthRows(), "WHERE id = ?", kOnly);
}

absl::StatusOr<int64_t> StreamBook::OpenGap(const StreamGapRecord& gap) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<int64_t> id,
                          session.ReadValueOf<int64_t>("SELECT coalesce(max(id), 0) + 1 FROM stream_gaps"));
  StreamGapRecord opened = gap;
  opened.id = id.value_or(1);
  opened.state = GapState::kOpen;
  opened.closed = absl::InfinitePast();
  opened.proof_json.clear();
  HAKOBU_RETURN_IF_ERROR(session.Insert(GapRows(), opened));
  HAKOBU_RETURN_IF_ERROR(session.Commit());
  return opened.id;
}

absl::StatusOr<std::vector<StreamGapRecord>> StreamBook::Gaps() {
  return Session(file_).Read(GapRows(), "ORDER BY id");
}

absl::Status StreamBook::UpdateGapTables(int64_t id, const std::string& tables_json) {
  return Session(file_).Run("UPDATE stream_gaps SET tables_json = ? WHERE id = ?", tables_json, id);
}

absl::Status StreamBook::CloseGap(int64_t id, absl::Time closed, const std::string& proof_json) {
  return Session(file_).Run(
      "UPDATE stream_gaps SET state = 'repaired', closed_us = ?, proof_json = ? WHERE id = ?", closed,
      proof_json, id);
}

}  // namespace hakobu
