// Blocks of an Avro object container file: count, size, bytes under a codec, sync marker.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "encode/byte_buffer.h"
#include "encode/encode.h"

namespace hakobu {

// The name in the header's avro.codec.
std::string_view CodecName(AvroCodec codec);

// Keeps a codec's working memory between blocks. Not thread-safe.
class BlockCompressor {
 public:
  explicit BlockCompressor(AvroCodec codec);
  ~BlockCompressor();
  BlockCompressor(BlockCompressor&&) noexcept;
  BlockCompressor& operator=(BlockCompressor&&) noexcept;

  // Appends `bytes` under the codec to `out`. ResourceExhausted when the codec has no memory.
  absl::Status Compress(std::string_view bytes, ByteBuffer* out);

 private:
  struct Working;
  AvroCodec codec_;
  std::unique_ptr<Working> working_;
};

}  // namespace hakobu
