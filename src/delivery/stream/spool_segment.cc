#include "delivery/stream/spool_segment.h"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/byte_reader.h"
#include "base/status.h"
#include "decode/binlog/event.h"

namespace hakobu::spool {
namespace {

constexpr std::string_view kMagic = "hakobu spool 1\n";
constexpr std::string_view kFrameMagic = "HKfr";
constexpr size_t kFixedHeaderBytes = 15 + 8 + 8 + 2;
constexpr size_t kMostFormatBytes = 64 * 1024;
constexpr uint64_t kMostRawBytes =
    (uint64_t{1} << 30) + (uint64_t{64} << 20);  // one event of 1 GiB and a frame
constexpr uint64_t kMostRatio = 40'000;          // zstd's blocks of one byte

void AppendLittleEndian(std::string* out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

uint32_t Crc(std::string_view first, std::string_view second = {}) {
  const auto bytes = [](std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); };
  uLong crc = crc32_z(0, bytes(first), first.size());
  return static_cast<uint32_t>(second.empty() ? crc : crc32_z(crc, bytes(second), second.size()));
}

std::string SealedPlace(uint64_t first_sequence) {
  return fmt::format("spool frame {}", first_sequence);
}

}  // namespace

absl::StatusOr<std::string_view> EventAt(std::string_view raw, size_t at) {
  if (raw.size() - at < binlog::kHeaderBytes)
    return absl::InvalidArgumentError("an event is shorter than its header");
  const uint32_t size = ByteReader(raw.substr(at + 9)).U32();
  if (size < binlog::kHeaderBytes || size > raw.size() - at) {
    return absl::InvalidArgumentError(
        fmt::format("an event says that it has {} bytes, {} are there", size, raw.size() - at));
  }
  return raw.substr(at, size);
}

absl::Status Tracker::Take(std::string_view event) {
  HAKOBU_ASSIGN_OR_RETURN(const std::string_view whole, EventAt(event, 0));
  if (whole.size() != event.size()) return absl::InvalidArgumentError("an event is longer than it says");
  ByteReader reader(event);
  reader.Skip(4);
  const auto type = static_cast<binlog::EventType>(reader.U8());
  reader.Skip(8);
  const uint32_t next = reader.U32();
  reader.Skip(2);
  switch (type) {
    case binlog::EventType::kFormatDescription: {
      HAKOBU_ASSIGN_OR_RETURN(const binlog::Format format, binlog::ParseFormatDescription(event));
      checksums_ = format.checksums;
      format_event = event;
      if (next != 0) offset = next;
      return absl::OkStatus();
    }
    case binlog::EventType::kRotate: {
      const uint64_t position = reader.U64();
      std::string_view name = reader.Rest();
      if (checksums_ && name.size() >= 4) name.remove_suffix(4);
      if (reader.failed() || name.size() > 0xffff) return absl::InvalidArgumentError("ROTATE is cut short");
      file = name;
      offset = position;
      return absl::OkStatus();
    }
    case binlog::EventType::kHeartbeat:
    case binlog::EventType::kHeartbeatV2:
      return absl::OkStatus();
    default:
      // Positions are 32 bits in an event, files are not: count on from where we are.
      if (next != 0) offset = (offset > 0xffffffff ? offset : next - event.size()) + event.size();
      return absl::OkStatus();
  }
}

std::string SegmentHeader::ToBytes() const {
  std::string bytes(kMagic);
  AppendLittleEndian(&bytes, first_sequence, 8);
  AppendLittleEndian(&bytes, context.offset, 8);
  AppendLittleEndian(&bytes, context.file.size(), 2);
  bytes += context.file;
  AppendLittleEndian(&bytes, context.format_event.size(), 4);
  bytes += context.format_event;
  AppendLittleEndian(&bytes, Crc(bytes), 4);
  return bytes;
}

absl::Status AppendFrame(uint64_t first_sequence, uint32_t events, std::string_view raw, int level,
                         const Sealer* sealer, std::string* out) {
  const size_t start = out->size();
  out->append(kFrameHeaderBytes, '\0');
  const size_t bound = ZSTD_compressBound(raw.size());
  out->resize(start + kFrameHeaderBytes + bound);
  const size_t packed =
      ZSTD_compress(out->data() + start + kFrameHeaderBytes, bound, raw.data(), raw.size(), level);
  if (ZSTD_isError(packed) != 0) {
    return absl::InternalError(fmt::format("compress a spool frame: {}", ZSTD_getErrorName(packed)));
  }
  out->resize(start + kFrameHeaderBytes + packed);
  if (sealer != nullptr) {
    const std::string sealed =
        sealer->Seal(std::string_view(*out).substr(start + kFrameHeaderBytes), SealedPlace(first_sequence));
    out->replace(start + kFrameHeaderBytes, packed, sealed);
  }
  std::string header(kFrameMagic);
  AppendLittleEndian(&header, out->size() - start - kFrameHeaderBytes, 4);
  AppendLittleEndian(&header, raw.size(), 4);
  AppendLittleEndian(&header, events, 4);
  AppendLittleEndian(&header, first_sequence, 8);
  AppendLittleEndian(&header, Crc(header, std::string_view(*out).substr(start + kFrameHeaderBytes)), 4);
  out->replace(start, kFrameHeaderBytes, header);
  return absl::OkStatus();
}

ReadAt ReadFile(int descriptor) {
  return [descriptor](uint64_t offset, char* out, size_t size) -> absl::StatusOr<size_t> {
    size_t got = 0;
    while (got < size) {
      const ssize_t step = pread(descriptor, out + got, size - got, static_cast<off_t>(offset + got));
      if (step < 0 && errno == EINTR) continue;
      if (step < 0) return absl::UnavailableError(fmt::format("read: {}", std::strerror(errno)));
      if (step == 0) break;
      got += static_cast<size_t>(step);
    }
    return got;
  };
}

absl::StatusOr<SegmentHeader> SegmentReader::ReadHeader() {
  std::string bytes;
  const auto extend = [&](size_t more) -> absl::Status {
    const size_t held = bytes.size();
    bytes.resize(held + more);
    HAKOBU_ASSIGN_OR_RETURN(const size_t got, read_at_(held, bytes.data() + held, more));
    if (got < more) return absl::DataLossError("at 0: the file's header is cut short");
    return absl::OkStatus();
  };
  HAKOBU_RETURN_IF_ERROR(extend(kFixedHeaderBytes));
  if (!bytes.starts_with(kMagic)) return absl::DataLossError("at 0: this is no spool file of version 1");
  SegmentHeader header;
  ByteReader fixed(std::string_view(bytes).substr(kMagic.size()));
  header.first_sequence = fixed.U64();
  header.context.offset = fixed.U64();
  const size_t name_bytes = fixed.U16();
  HAKOBU_RETURN_IF_ERROR(extend(name_bytes + 4));
  header.context.file = bytes.substr(kFixedHeaderBytes, name_bytes);
  const uint32_t format_bytes = ByteReader(std::string_view(bytes).substr(bytes.size() - 4)).U32();
  if (format_bytes > kMostFormatBytes) return absl::DataLossError("at 0: the file's header is damaged");
  HAKOBU_RETURN_IF_ERROR(extend(format_bytes + 4));
  const std::string_view covered = std::string_view(bytes).substr(0, bytes.size() - 4);
  if (ByteReader(std::string_view(bytes).substr(covered.size())).U32() != Crc(covered)) {
    return absl::DataLossError("at 0: the CRC32 of the file's header does not match its bytes");
  }
  if (format_bytes > 0) {
    // Sets what the tracker must know of it; its place is given by the header.
    const uint64_t offset = header.context.offset;
    const absl::Status taken = header.context.Take(covered.substr(covered.size() - format_bytes));
    if (!taken.ok()) return absl::DataLossError("at 0: the file's header is damaged");
    header.context.offset = offset;
  }
  offset_ = bytes.size();
  return header;
}

absl::StatusOr<bool> SegmentReader::ReadFrame(Frame* frame, uint64_t* raw_bytes, bool payload) {
  char header[kFrameHeaderBytes];
  HAKOBU_ASSIGN_OR_RETURN(const size_t got, read_at_(offset_, header, sizeof header));
  if (got == 0) return false;
  const auto damaged = [&](std::string_view what) {
    return absl::DataLossError(fmt::format("at {}: {}", offset_, what));
  };
  if (got < sizeof header) return damaged("a frame is cut short");
  const std::string_view bytes(header, sizeof header);
  if (!bytes.starts_with(kFrameMagic)) return damaged("expected a frame, found other bytes");
  ByteReader reader(bytes.substr(kFrameMagic.size()));
  const uint32_t packed_bytes = reader.U32(), raw_size = reader.U32();
  frame->events = reader.U32();
  frame->first_sequence = reader.U64();
  const uint32_t crc = reader.U32();
  *raw_bytes = raw_size;
  if (raw_size > kMostRawBytes || raw_size > (packed_bytes + uint64_t{1}) * kMostRatio) {
    return damaged("a frame's header is damaged");
  }
  frame->raw.clear();
  if (!payload) {
    // Its last byte must be there: a torn frame is found without reading it.
    char last;
    HAKOBU_ASSIGN_OR_RETURN(const size_t there,
                            read_at_(offset_ + sizeof header + packed_bytes - 1, &last, 1));
    if (packed_bytes == 0 || there == 0) return damaged("a frame is cut short");
    offset_ += sizeof header + packed_bytes;
    return true;
  }
  constexpr size_t kStep = size_t{4} << 20;  // a damaged length must not ask for what the file does not have
  packed_.clear();
  while (packed_.size() < packed_bytes) {
    const size_t held = packed_.size(), step = std::min<size_t>(packed_bytes - held, kStep);
    packed_.resize(held + step);
    HAKOBU_ASSIGN_OR_RETURN(const size_t read,
                            read_at_(offset_ + sizeof header + held, packed_.data() + held, step));
    if (read < step) return damaged("a frame is cut short");
  }
  if (Crc(bytes.substr(0, kFrameHeaderBytes - 4), packed_) != crc) {
    return damaged("a frame's CRC32 does not match its bytes");
  }
  if (sealer_ != nullptr) {
    const auto opened = sealer_->Open(packed_, SealedPlace(frame->first_sequence));
    if (!opened.ok()) return damaged("a frame was sealed by another process");
    packed_ = *opened;
  }
  frame->raw.resize(raw_size);
  const size_t unpacked = ZSTD_decompress(frame->raw.data(), raw_size, packed_.data(), packed_.size());
  if (ZSTD_isError(unpacked) != 0 || unpacked != raw_size) return damaged("a frame cannot be decompressed");
  offset_ += sizeof header + packed_bytes;
  return true;
}

absl::StatusOr<bool> SegmentReader::Next(Frame* frame) {
  uint64_t raw_bytes = 0;
  return ReadFrame(frame, &raw_bytes, true);
}

absl::StatusOr<bool> SegmentReader::Skip(Frame* frame, uint64_t* raw_bytes) {
  return ReadFrame(frame, raw_bytes, false);
}

absl::StatusOr<bool> SegmentReader::AnyFrameBehind() {
  constexpr size_t kStep = size_t{64} << 10;
  std::string window;
  const uint64_t here = offset_;
  for (uint64_t at = here + 1;;) {
    window.resize(kStep);
    HAKOBU_ASSIGN_OR_RETURN(const size_t got, read_at_(at, window.data(), window.size()));
    window.resize(got);
    for (size_t found = window.find(kFrameMagic); found != std::string::npos;
         found = window.find(kFrameMagic, found + 1)) {
      Frame frame;
      uint64_t raw_bytes = 0;
      offset_ = at + found;
      const auto read = ReadFrame(&frame, &raw_bytes, true);
      offset_ = here;
      if (read.ok() && *read) return true;
    }
    if (got < kStep) return false;
    at += kStep - kFrameMagic.size();
  }
}

}  // namespace hakobu::spool
