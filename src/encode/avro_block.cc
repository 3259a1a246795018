#include "encode/avro_block.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include "base/status.h"

namespace hakobu {
namespace {

constexpr int kZstandardLevel = 3;
constexpr int kDeflateLevel = 6;
constexpr int kRawDeflateWindowBits = -15;  // Avro's deflate is RFC 1951 without zlib's frame
constexpr int kDeflateMemoryLevel = 8;

}  // namespace

struct BlockCompressor::Working {
  ZSTD_CCtx* zstandard = nullptr;
  z_stream deflate{};
  bool deflating = false;

  Working() = default;
  Working(const Working&) = delete;
  Working& operator=(const Working&) = delete;
  ~Working() {
    ZSTD_freeCCtx(zstandard);
    if (deflating) deflateEnd(&deflate);
  }

  absl::Status Zstandard(std::string_view bytes, ByteBuffer* out) {
    if (zstandard == nullptr) zstandard = ZSTD_createCCtx();
    if (zstandard == nullptr) return absl::ResourceExhaustedError("zstd has no memory for a block");
    const size_t bound = ZSTD_compressBound(bytes.size());
    const size_t size =
        ZSTD_compressCCtx(zstandard, out->Reserve(bound), bound, bytes.data(), bytes.size(), kZstandardLevel);
    if (ZSTD_isError(size) != 0) {
      return absl::ResourceExhaustedError(fmt::format("zstd refused a block: {}", ZSTD_getErrorName(size)));
    }
    out->Advance(size);
    return absl::OkStatus();
  }

  absl::Status Deflate(std::string_view bytes, ByteBuffer* out) {
    const int ready = deflating ? deflateReset(&deflate)
                                : deflateInit2(&deflate, kDeflateLevel, Z_DEFLATED, kRawDeflateWindowBits,
                                               kDeflateMemoryLevel, Z_DEFAULT_STRATEGY);
    if (ready != Z_OK) return absl::ResourceExhaustedError("zlib has no memory for a block");
    deflating = true;
    const size_t bound = deflateBound(&deflate, bytes.size());
    deflate.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    deflate.avail_in = static_cast<uInt>(bytes.size());
    deflate.next_out = reinterpret_cast<Bytef*>(out->Reserve(bound));
    deflate.avail_out = static_cast<uInt>(bound);
    if (::deflate(&deflate, Z_FINISH) != Z_STREAM_END)
      return absl::InternalError("zlib did not finish a block");
    out->Advance(bound - deflate.avail_out);
    return absl::OkStatus();
  }
};

std::string_view CodecName(AvroCodec codec) {
  switch (codec) {
    case AvroCodec::kNull:
      return "null";
    case AvroCodec::kDeflate:
      return "deflate";
    case AvroCodec::kZstandard:
      return "zstandard";
  }
  return "null";
}

BlockCompressor::BlockCompressor(AvroCodec codec) : codec_(codec), working_(std::make_unique<Working>()) {}
BlockCompressor::~BlockCompressor() = default;
BlockCompressor::BlockCompressor(BlockCompressor&&) noexcept = default;
BlockCompressor& BlockCompressor::operator=(BlockCompressor&&) noexcept = default;

absl::Status BlockCompressor::Compress(std::string_view bytes, ByteBuffer* out) {
  switch (codec_) {
    case AvroCodec::kNull:
      out->Append(bytes);
      return absl::OkStatus();
    case AvroCodec::kDeflate:
      return working_->Deflate(bytes, out);
    case AvroCodec::kZstandard:
      return working_->Zstandard(bytes, out);
  }
  return absl::OkStatus();
}

}  // namespace hakobu
