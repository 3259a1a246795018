#include "delivery/move/chunk_read.h"

#include "base/status.h"

namespace hakobu {
absl::Status ReadChunk(Connection* connection, const ChunkSource& source, const Chunk& bounds,
                       absl::FunctionRef<absl::Status(Batch&)> take) {
  ChunkReader reader(connection, source.table, *source.columns, std::string(source.where));
  HAKOBU_RETURN_IF_ERROR(reader.Open(bounds));
  Batch batch(source.batch_columns);
  const auto hand_over = [&]() -> absl::Status {
    HAKOBU_RETURN_IF_ERROR(take(batch));
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
