#include "decode/binlog/compressed.h"

#include <zlib.h>

#include "base/byte_reader.h"

namespace hakobu::binlog {

absl::Status InflateMariadb(std::string_view packed, std::string* out) {
  ByteReader reader(packed);
  const uint8_t header = reader.U8();
  const size_t length_bytes = header & 7;
  if ((header & 0x80) == 0 || (header >> 4 & 7) != 0 || length_bytes < 1 || length_bytes > 4) {
    return absl::DataLossError("compressed event: unknown compression header");
  }
  const uint64_t length = reader.BigEndian(length_bytes);
  const std::string_view bytes = reader.Rest();
  if (reader.failed() || length > bytes.size() * 1100 + 64)
    return absl::DataLossError("compressed event is corrupt");
  out->resize(length);
  auto inflated = static_cast<uLongf>(length);
  if (uncompress(reinterpret_cast<Bytef*>(out->data()), &inflated,
                 reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size())) != Z_OK ||
      inflated != length) {
    return absl::DataLossError("compressed event is corrupt");
  }
  return absl::OkStatus();
}

EventType WithoutCompression(EventType type) {
  switch (type) {
    case EventType::kMariadbWriteRowsCompressedV1:
      return EventType::kWriteRowsV1;
    case EventType::kMariadbUpdateRowsCompressedV1:
      return EventType::kUpdateRowsV1;
    case EventType::kMariadbDeleteRowsCompressedV1:
      return EventType::kDeleteRowsV1;
    case EventType::kMariadbWriteRowsCompressed:
      return EventType::kWriteRows;
    case EventType::kMariadbUpdateRowsCompressed:
      return EventType::kUpdateRows;
    case EventType::kMariadbDeleteRowsCompressed:
      return EventType::kDeleteRows;
    default:
      return type;
  }
}

}  // namespace hakobu::binlog
