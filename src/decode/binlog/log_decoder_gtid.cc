// Which transaction begins: the events of GTIDs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <vector>

#include "base/byte_reader.h"
#include "base/status.h"
#include "decode/binlog/log_decoder.h"

namespace hakobu::binlog {
namespace {

constexpr uint64_t kMicrosMask = (uint64_t{1} << 55) - 1;

// mysql::serialization's integers: as many low one-bits in the first byte as bytes follow it; the rest,
// little-endian, is the value.
uint64_t ReadVariable(ByteReader* reader) {
  const uint8_t first = reader->Peek();
  size_t extra = 0;
  while (extra < 8 && (first >> extra & 1) != 0) ++extra;
  if (extra == 8) {
    reader->Skip(1);
    return reader->U64();
  }
  if (extra == 7) {
    reader->Skip(1);
    return reader->LittleEndian(7);
  }
  return reader->LittleEndian(extra + 1) >> (extra + 1);
}

// Signed ones fold the sign into the lowest bit.
int64_t ReadSigned(ByteReader* reader) {
  const uint64_t raw = ReadVariable(reader);
  const auto magnitude = static_cast<int64_t>(raw >> 1);
  return (raw & 1) != 0 ? ~magnitude : magnitude;
}

std::vector<uint8_t> AsBytes(std::string_view text) {
  return {text.begin(), text.end()};
}

}  // namespace

std::string XidText(std::string_view global, std::string_view branch, uint32_t format) {
  return fmt::format("X'{:02x}',X'{:02x}',{}", fmt::join(AsBytes(global), ""), fmt::join(AsBytes(branch), ""),
                     format);
}

// Gtid_event: flags, UUID, number, then what group commit and dating need.
absl::Status LogDecoder::HandleGtid(const Event& event) {
  ByteReader reader(event.body);
  reader.Skip(1);
  std::string gtid = UuidText(reader.Take(16));
  const uint64_t gtid_number = reader.U64();
  if (reader.failed()) return absl::DataLossError("GTID is cut short");
  reader.Skip(1 + 8 + 8);  // logical clock: type, last committed, sequence
  context_.commit_micros = 0;
  if (!reader.failed() && reader.remaining() >= 7) {
    // The top bit of 56 says that the original server's time follows, because it differs.
    const uint64_t immediate = reader.LittleEndian(7);
    const bool has_original = (immediate >> 55) != 0;
    context_.commit_micros = has_original && reader.remaining() >= 7 ? reader.LittleEndian(7) & kMicrosMask
                                                                     : immediate & kMicrosMask;
  }
  context_.gtid.clear();
  if (event.header.type != EventType::kAnonymousGtid) {
    char digits[20];
    const char* const end = std::to_chars(digits, digits + sizeof digits, gtid_number).ptr;
    gtid += ':';
    gtid.append(digits, static_cast<size_t>(end - digits));
    context_.gtid = std::move(gtid);
  }
  Announce();
  return absl::OkStatus();
}

// The field numbers are Gtid_event::define_fields'.
absl::Status LogDecoder::HandleTaggedGtid(const Event& event) {
  ByteReader reader(event.body);
  ReadVariable(&reader);  // serialization version
  ReadVariable(&reader);  // size
  ReadVariable(&reader);  // last field that may not be ignored
  Gtid gtid;
  uint64_t immediate = 0, original = 0;
  bool done = false;
  while (!reader.AtEnd() && !done) {
    switch (ReadVariable(&reader)) {
      case 0:  // flags
        ReadVariable(&reader);
        break;
      case 1: {
        std::string uuid;
        for (int i = 0; i < 16; ++i) uuid.push_back(static_cast<char>(ReadVariable(&reader)));
        gtid.source = UuidText(uuid);
        break;
      }
      case 2:
        gtid.number = static_cast<uint64_t>(ReadSigned(&reader));
        break;
      case 3: {
        const std::string_view tag = reader.Take(ReadVariable(&reader));
        if (!tag.empty()) gtid.source += fmt::format(":{}", tag);
        break;
      }
      case 4:  // last committed
      case 5:  // sequence
        ReadSigned(&reader);
        break;
      case 6:
        immediate = ReadVariable(&reader);
        break;
      case 7:
        original = ReadVariable(&reader);
        break;
      default:
        done = true;  // lengths and versions: nothing this decoder needs
    }
  }
  if (reader.failed() || gtid.number == 0 || gtid.source.empty())
    return absl::DataLossError("GTID_TAGGED is corrupt");
  context_.gtid = gtid.Text();
  context_.commit_micros = original != 0 ? original : immediate;
  Announce();
  return absl::OkStatus();
}

// Gtid_log_event::write: number, domain, flags, and by flag a group's id and an XA transaction's.
absl::Status LogDecoder::HandleMariadbGtid(const Event& event) {
  constexpr uint8_t kStandalone = 1, kGroupCommitId = 2, kPreparedXa = 64, kCompletedXa = 128;
  ByteReader reader(event.body);
  const uint64_t number = reader.U64();
  const uint32_t domain = reader.U32();
  const uint8_t flags = reader.U8();
  if (reader.failed()) return absl::DataLossError("GTID is cut short");
  context_.gtid = fmt::format("{}-{}-{}", domain, event.header.server_id, number);
  context_.commit_micros = 0;
  Announce();
  if ((flags & (kPreparedXa | kCompletedXa)) != 0) {
    if ((flags & kGroupCommitId) != 0) reader.Skip(8);
    const uint32_t format = reader.U32();
    const uint8_t global_bytes = reader.U8(), branch_bytes = reader.U8();
    const std::string_view global = reader.Take(global_bytes), branch = reader.Take(branch_bytes);
    if (reader.failed()) return absl::DataLossError("GTID is cut short");
    context_.xid = XidText(global, branch, format);
    // Its end is a statement alone: XA COMMIT, XA ROLLBACK.
    if ((flags & kCompletedXa) != 0) {
      context_.xid.clear();
      return absl::OkStatus();
    }
  }
  return (flags & kStandalone) != 0 ? absl::OkStatus() : Begin();
}

}  // namespace hakobu::binlog
