// A spool's segment file: any bytes must end in events or a status, never in a crash, an overrun or unbounded
// memory.
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "base/byte_reader.h"
#include "delivery/stream/spool_segment.h"

namespace {

using namespace hakobu;
using namespace hakobu::spool;

void Read(std::string_view bytes) {
  SegmentReader reader([bytes](uint64_t offset, char* out, size_t size) -> absl::StatusOr<size_t> {
    if (offset >= bytes.size()) return size_t{0};
    const size_t got = std::min<size_t>(size, bytes.size() - offset);
    std::memcpy(out, bytes.data() + offset, got);
    return got;
  });
  auto header = reader.ReadHeader();
  if (!header.ok()) return;
  Tracker tracker = header->context;
  Frame frame;
  for (;;) {
    const auto more = reader.Next(&frame);
    if (!more.ok()) {
      (void)reader.AnyFrameBehind();
      return;
    }
    if (!*more) return;
    for (size_t at = 0; at < frame.raw.size();) {
      const auto event = EventAt(frame.raw, at);
      if (!event.ok() || !tracker.Take(*event).ok()) return;
      at += event->size();
    }
  }
}

void Write(std::string* bytes, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) (*bytes)[at + i] = static_cast<char>(value >> (8 * i));
}

// Lengths and checksums of frames are mended, so that the fuzzer gets past them.
std::string Mended(std::string_view input) {
  std::string bytes = SegmentHeader().ToBytes();
  const size_t frames = bytes.size();
  bytes += input;
  for (size_t at = frames; bytes.size() - at > kFrameHeaderBytes;) {
    const size_t rest = bytes.size() - at - kFrameHeaderBytes;
    bytes.replace(at, 4, "HKfr");
    const uint32_t packed = std::min<uint32_t>(ByteReader(std::string_view(bytes).substr(at + 4)).U32(),
                                               static_cast<uint32_t>(rest));
    Write(&bytes, at + 4, packed);
    const auto* start = reinterpret_cast<const Bytef*>(bytes.data() + at);
    const uLong crc = crc32_z(crc32_z(0, start, kFrameHeaderBytes - 4), start + kFrameHeaderBytes, packed);
    Write(&bytes, at + kFrameHeaderBytes - 4, static_cast<uint32_t>(crc));
    at += kFrameHeaderBytes + packed;
  }
  return bytes;
}

// As an engine would write it, of whatever events.
std::string Written(std::string_view raw) {
  std::string bytes = SegmentHeader().ToBytes();
  (void)AppendFrame(1, 1, raw, 1, nullptr, &bytes);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      Read(rest);
      break;
    case 1:
      Read(Mended(rest));
      break;
    default:
      Read(Written(rest));
  }
  return 0;
}
