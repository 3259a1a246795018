// Compressed transactions.
#include <fmt/format.h>
#include <zstd.h>

#include <memory>

#include "base/byte_reader.h"
#include "base/status.h"
#include "decode/binlog/log_decoder.h"

namespace hakobu::binlog {

// Transaction_payload_event: (type, length, value) fields, then events without checksums, packed as one zstd
// stream.
absl::Status LogDecoder::HandlePayload(const Event& event) {
  constexpr uint64_t kEnd = 0, kCompression = 2, kZstd = 0, kNone = 255;
  ByteReader reader(event.body);
  uint64_t compression = kNone;
  while (!reader.AtEnd()) {
    const uint64_t field = reader.LengthEncoded();
    if (field == kEnd) break;
    ByteReader value(reader.Take(reader.LengthEncoded()));
    if (field == kCompression) compression = value.LengthEncoded();
  }
  if (reader.failed()) return absl::DataLossError("TRANSACTION_PAYLOAD is cut short");
  if (compression != kZstd && compression != kNone) {
    return absl::UnimplementedError(fmt::format("TRANSACTION_PAYLOAD: compression {}", compression));
  }
  Format inner = format_;
  inner.checksums = false;
  // Events are taken as they come out, so that memory holds one event and not the transaction.
  std::string pending;
  size_t taken = 0;
  const auto take_events = [&]() -> absl::Status {
    while (pending.size() - taken >= kHeaderBytes) {
      const uint32_t size = ByteReader(std::string_view(pending).substr(taken + 9)).U32();
      if (size < kHeaderBytes)
        return absl::DataLossError("TRANSACTION_PAYLOAD: event shorter than its header");
      if (pending.size() - taken < size) break;
      HAKOBU_ASSIGN_OR_RETURN(const Event part,
                              ParseEvent(std::string_view(pending).substr(taken, size), inner));
      context_.timestamp = part.header.timestamp;
      HAKOBU_RETURN_IF_ERROR(Handle(part, inner));
      taken += size;
    }
    pending.erase(0, taken);
    taken = 0;
    return absl::OkStatus();
  };
  if (compression == kNone) {
    pending = reader.Rest();
    HAKOBU_RETURN_IF_ERROR(take_events());
  } else {
    const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(),
                                                                            &ZSTD_freeDStream);
    ZSTD_inBuffer in{reader.Rest().data(), reader.remaining(), 0};
    const size_t step = ZSTD_DStreamOutSize();
    for (bool more = true; more;) {
      const size_t held = pending.size();
      pending.resize(held + step);
      ZSTD_outBuffer out{pending.data() + held, step, 0};
      const size_t result = ZSTD_decompressStream(stream.get(), &out, &in);
      pending.resize(held + out.pos);
      if (ZSTD_isError(result) != 0) {
        return absl::DataLossError(fmt::format("TRANSACTION_PAYLOAD: {}", ZSTD_getErrorName(result)));
      }
      more = in.pos < in.size || out.pos == step;
      HAKOBU_RETURN_IF_ERROR(take_events());
    }
  }
  return pending.empty() ? absl::OkStatus() : absl::DataLossError("TRANSACTION_PAYLOAD ends within an event");
}

}  // namespace hakobu::binlog
