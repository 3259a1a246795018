#include "ledger/chunk_rows.h"

#include "base/status.h"

namespace hakobu {

const ChunkRows kStreamChunks = {
    .select =
        "SELECT number, bounds_json, done, rows, write_stream FROM stream_chunks WHERE source = ?1 "
        "ORDER BY number",
    .store = "INSERT OR REPLACE INTO stream_chunks VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
const ChunkRows kRepairChunks = {
    .select =
        "SELECT number, bounds_json, done, rows, write_stream FROM repair_chunks WHERE source = ?1 "
        "ORDER BY number",
    .store = "INSERT OR REPLACE INTO repair_chunks VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};

absl::StatusOr<std::vector<StreamChunkRecord>> ChunkRows::Read(Sqlite* sqlite,
                                                               const std::string& source) const {
  HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite->Prepare(select));
  rows.Bind(1, source);
  std::vector<StreamChunkRecord> chunks;
  while (true) {
    HAKOBU_ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return chunks;
    chunks.push_back({rows.Unsigned(0), rows.Text(1), rows.Integer(2) != 0, rows.Unsigned(3), rows.Text(4)});
  }
}

absl::Status ChunkRows::Store(Sqlite* sqlite, const std::string& source,
                              const StreamChunkRecord& chunk) const {
  HAKOBU_ASSIGN_OR_RETURN(SqliteRows rows, sqlite->Prepare(store));
  rows.Bind(1, source).Bind(2, chunk.number).Bind(3, chunk.bounds_json);
  rows.Bind(4, static_cast<int64_t>(chunk.done)).Bind(5, chunk.rows).Bind(6, chunk.write_stream);
  return rows.Run();
}

}  // namespace hakobu
