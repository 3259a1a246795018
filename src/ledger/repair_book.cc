#include "ledger/repair_book.h"

#include "base/status.h"
#include "ledger/stream_chunks.h"

namespace hakobu {
namespace {

const RecordTable<StreamChunkRecord>& RepairChunkRows() {
  static const auto* const table = new RecordTable<StreamChunkRecord>(StreamChunkTable("repair_chunks"));
  return *table;
}

const RecordTable<RepairTableRecord>& RepairTableRows() {
  using R = RepairTableRecord;
  static const auto* const table = new RecordTable<R>(
      "repair_tables", {}, 1,
      {ColumnOf<&R::source>("source"), ColumnOf<&R::target>("target"), ColumnOf<&R::rows_table>("rows_table"),
       ColumnOf<&R::fingerprint>("fingerprint"), ColumnOf<&R::sequence>("sequence"),
       ColumnOf<&R::started>("started_us"), ColumnOf<&R::round>("round")});
  return *table;
}

absl::Status Remove(Session* session, const std::string& source) {
  HAKOBU_RETURN_IF_ERROR(session->Run("DELETE FROM repair_chunks WHERE source = ?", source));
  return session->Run("DELETE FROM repair_tables WHERE source = ?", source);
}

}  // namespace

absl::StatusOr<std::optional<RepairTableRecord>> RepairBook::Find(const std::string& source) {
  return Session(file_).ReadFirst(RepairTableRows(), "WHERE source = ?", source);
}

absl::Status RepairBook::Begin(const RepairTableRecord& table, const std::vector<StreamChunkRecord>& chunks) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_RETURN_IF_ERROR(Remove(&session, table.source));
  HAKOBU_RETURN_IF_ERROR(session.Insert(RepairTableRows(), table));
  for (const StreamChunkRecord& chunk : chunks)
    HAKOBU_RETURN_IF_ERROR(session.Insert(RepairChunkRows(), chunk, table.source));
  return session.Commit();
}

absl::Status RepairBook::StoreRound(const std::string& source, int64_t round) {
  return Session(file_).Run("UPDATE repair_tables SET round = ? WHERE source = ?", round, source);
}

absl::StatusOr<std::vector<StreamChunkRecord>> RepairBook::Chunks(const std::string& source) {
  return Session(file_).Read(RepairChunkRows(), "WHERE source = ? ORDER BY number", source);
}

absl::Status RepairBook::StoreChunk(const std::string& source, const StreamChunkRecord& chunk) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_RETURN_IF_ERROR(session.Put(RepairChunkRows(), chunk, source));
  return session.Commit();
}

absl::Status RepairBook::Forget(const std::string& source) {
  Session session(file_);
  HAKOBU_RETURN_IF_ERROR(session.Begin());
  HAKOBU_RETURN_IF_ERROR(Remove(&session, source));
  return session.Commit();
}

}  // namespace hakobu
