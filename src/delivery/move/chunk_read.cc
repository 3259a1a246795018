#include "delivery/move/chunk_read.h"

#include "absl/time/clock.h"
#include "base/status.h"

namespace hakobu {
namespace {

// Shows to others that the connection waits for rows; a batch begins the waiting anew.
class WaitingForRows {
 public:
  explicit WaitingForRows(Connection* connection) : connection_(connection) { Begin(); }
  ~WaitingForRows() { End(); }
  WaitingForRows(const WaitingForRows&) = delete;
  WaitingForRows& operator=(const WaitingForRows&) = delete;
  void Begin() { connection_->SetWaitingSince(absl::Now()); }
  void End() { connection_->SetWaitingSince(absl::InfinitePast()); }

 private:
  Connection* connection_;
};

}  // namespace

absl::Status ReadChunk(Connection* connection, const ChunkSource& source, const Chunk& bounds,
                       absl::FunctionRef<absl::Status(Batch&)> take) {
  WaitingForRows waiting(connection);
  ChunkReader reader(connection, source.table, *source.columns, std::string(source.where));
  HAKOBU_RETURN_IF_ERROR(reader.Open(bounds));
  Batch batch(source.batch_columns);
  const auto hand_over = [&]() -> absl::Status {
    waiting.End();
    HAKOBU_RETURN_IF_ERROR(take(batch));
    waiting.Begin();
    batch.Clear();
    reader.Release();
    return absl::OkStatus();
  };
  std::string_view packet;
  while (reader.Next(&packet)) {
    HAKOBU_RETURN_IF_ERROR(source.decoder->Decode(packet, &batch));
    if (IsFull(batch)) HAKOBU_RETURN_IF_ERROR(hand_over());
  }
  HAKOBU_RETURN_IF_ERROR(reader.status());
  return hand_over();
}

}  // namespace hakobu
