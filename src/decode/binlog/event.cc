#include "decode/binlog/event.h"

#include <fmt/format.h>
#include <zlib.h>

#include <charconv>

#include "base/byte_reader.h"
#include "base/status.h"

namespace hakobu::binlog {
namespace {

constexpr size_t kChecksumBytes = 4;
constexpr uint8_t kChecksumCrc32 = 1;
constexpr uint8_t kFlagInUse = 1;  // LOG_EVENT_BINLOG_IN_USE_F

EventHeader ReadHeader(std::string_view bytes) {
  ByteReader reader(bytes);
  EventHeader header;
  header.timestamp = reader.U32();
  header.type = static_cast<EventType>(reader.U8());
  header.server_id = reader.U32();
  header.event_bytes = reader.U32();
  header.next_position = reader.U32();
  header.flags = reader.U16();
  return header;
}

// `flags_ignored` do not count: the server marks a file as in use by changing a byte of its first event in
// place.
bool ChecksumHolds(std::string_view bytes, uint8_t flags_ignored = 0) {
  constexpr size_t kFlagsPlace = 17;
  const size_t covered = bytes.size() - kChecksumBytes;
  ByteReader stored(bytes.substr(covered));
  const auto* at = reinterpret_cast<const Bytef*>(bytes.data());
  if (flags_ignored == 0) {  // all events but a file's first: small ones are many, and calls cost
    return stored.U32() == static_cast<uint32_t>(crc32(0, at, static_cast<uInt>(covered)));
  }
  uLong computed = crc32(0, at, kFlagsPlace);
  const auto flags = static_cast<Bytef>(at[kFlagsPlace] & ~flags_ignored);
  computed = crc32(computed, &flags, 1);
  computed = crc32(computed, at + kFlagsPlace + 1, static_cast<uInt>(covered - kFlagsPlace - 1));
  return stored.U32() == static_cast<uint32_t>(computed);
}

// Servers from 5.6.1 (MariaDB 5.3) on end this event with the checksum algorithm, then room for a CRC32.
bool KnowsChecksums(std::string_view version, bool mariadb) {
  int parts[3] = {0, 0, 0};
  const char* at = version.data();
  const char* const end = at + version.size();
  for (int& part : parts) {
    const auto [next, error] = std::from_chars(at, end, part);
    if (error != std::errc()) break;
    at = next == end ? end : next + 1;
  }
  const int64_t number = int64_t{parts[0]} * 10000 + int64_t{parts[1]} * 100 + parts[2];
  return number >= (mariadb ? 50300 : 50601);
}

}  // namespace

std::string EventTypeName(EventType type) {
  struct Name {
    EventType type;
    std::string_view name;
  };
  static constexpr Name kNames[] = {
      {EventType::kQuery, "QUERY"},
      {EventType::kStop, "STOP"},
      {EventType::kRotate, "ROTATE"},
      {EventType::kIntvar, "INTVAR"},
      {EventType::kRand, "RAND"},
      {EventType::kUserVar, "USER_VAR"},
      {EventType::kFormatDescription, "FORMAT_DESCRIPTION"},
      {EventType::kXid, "XID"},
      {EventType::kBeginLoadQuery, "BEGIN_LOAD_QUERY"},
      {EventType::kExecuteLoadQuery, "EXECUTE_LOAD_QUERY"},
      {EventType::kTableMap, "TABLE_MAP"},
      {EventType::kWriteRowsV1, "WRITE_ROWS_V1"},
      {EventType::kUpdateRowsV1, "UPDATE_ROWS_V1"},
      {EventType::kDeleteRowsV1, "DELETE_ROWS_V1"},
      {EventType::kIncident, "INCIDENT"},
      {EventType::kHeartbeat, "HEARTBEAT"},
      {EventType::kRowsQuery, "ROWS_QUERY"},
      {EventType::kWriteRows, "WRITE_ROWS"},
      {EventType::kUpdateRows, "UPDATE_ROWS"},
      {EventType::kDeleteRows, "DELETE_ROWS"},
      {EventType::kGtid, "GTID"},
      {EventType::kAnonymousGtid, "ANONYMOUS_GTID"},
      {EventType::kPreviousGtids, "PREVIOUS_GTIDS"},
      {EventType::kXaPrepare, "XA_PREPARE"},
      {EventType::kPartialUpdateRows, "PARTIAL_UPDATE_ROWS"},
      {EventType::kTransactionPayload, "TRANSACTION_PAYLOAD"},
      {EventType::kHeartbeatV2, "HEARTBEAT_V2"},
      {EventType::kGtidTagged, "GTID_TAGGED"},
      {EventType::kMariadbAnnotateRows, "ANNOTATE_ROWS"},
      {EventType::kMariadbCheckpoint, "BINLOG_CHECKPOINT"},
      {EventType::kMariadbGtid, "GTID"},
      {EventType::kMariadbGtidList, "GTID_LIST"},
      {EventType::kMariadbStartEncryption, "START_ENCRYPTION"},
      {EventType::kMariadbQueryCompressed, "QUERY_COMPRESSED"},
  };
  std::string_view found = "EVENT";
  for (const Name& entry : kNames) {
    if (entry.type == type) found = entry.name;
  }
  return fmt::format("{} ({})", found, static_cast<int>(type));
}

absl::StatusOr<Event> ParseEvent(std::string_view bytes, const Format& format) {
  const size_t least = kHeaderBytes + (format.checksums ? kChecksumBytes : 0);
  if (bytes.size() < least) {
    return absl::DataLossError(
        fmt::format("binary log event of {} bytes: expected at least {}", bytes.size(), least));
  }
  Event event{ReadHeader(bytes), bytes.substr(kHeaderBytes)};
  if (event.header.event_bytes != bytes.size()) {
    return absl::DataLossError(fmt::format("{}: header says {} bytes, found {}",
                                           EventTypeName(event.header.type), event.header.event_bytes,
                                           bytes.size()));
  }
  if (format.checksums) {
    if (!ChecksumHolds(bytes)) {
      return absl::DataLossError(fmt::format("{} before position {}: CRC32 does not match its bytes",
                                             EventTypeName(event.header.type), event.header.next_position));
    }
    event.body.remove_suffix(kChecksumBytes);
  }
  return event;
}

absl::StatusOr<Format> ParseFormatDescription(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes + 57) return absl::DataLossError("FORMAT_DESCRIPTION is cut short");
  ByteReader reader(bytes.substr(kHeaderBytes));
  const uint16_t version = reader.U16();
  if (version != 4) {
    return absl::InvalidArgumentError(
        fmt::format("binary log version {}: expected 4 (MySQL 5.0 and later)", version));
  }
  Format format;
  const std::string_view name = reader.Take(50);
  format.server_version = name.substr(0, name.find('\0'));
  reader.Skip(4);  // created
  if (const uint8_t header_bytes = reader.U8(); header_bytes != kHeaderBytes) {
    return absl::DataLossError(
        fmt::format("FORMAT_DESCRIPTION: header length {}, expected {}", header_bytes, kHeaderBytes));
  }
  format.mariadb = format.server_version.find("MariaDB") != std::string::npos;
  std::string_view lengths = reader.Rest();
  if (KnowsChecksums(format.server_version, format.mariadb)) {
    if (lengths.size() < kChecksumBytes + 1) return absl::DataLossError("FORMAT_DESCRIPTION is cut short");
    format.checksums = lengths[lengths.size() - kChecksumBytes - 1] == kChecksumCrc32;
    if (format.checksums && !ChecksumHolds(bytes, kFlagInUse)) {
      return absl::DataLossError("FORMAT_DESCRIPTION: CRC32 does not match its bytes");
    }
    lengths.remove_suffix(kChecksumBytes + 1);
  }
  const size_t place = static_cast<size_t>(EventType::kTableMap) - 1;
  if (place < lengths.size() && lengths[place] == 6) format.table_id_bytes = 4;
  return format;
}

}  // namespace hakobu::binlog
