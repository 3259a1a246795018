// The frame of a binary log: headers, checksums, and what each event type is.
// Source: "MySQL Internals: Replication, Event Structures"; libs/mysql/binlog/event in the server; MariaDB's
// "Replication Protocol" pages for types from 160 up.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hakobu::binlog {

enum class EventType : uint8_t {
  kUnknown = 0,
  kStartV3 = 1,
  kQuery = 2,
  kStop = 3,
  kRotate = 4,
  kIntvar = 5,
  kLoad = 6,
  kSlave = 7,
  kAppendBlock = 9,
  kDeleteFile = 11,
  kRand = 13,
  kUserVar = 14,
  kFormatDescription = 15,
  kXid = 16,
  kBeginLoadQuery = 17,
  kExecuteLoadQuery = 18,
  kTableMap = 19,
  kWriteRowsV1 = 23,
  kUpdateRowsV1 = 24,
  kDeleteRowsV1 = 25,
  kIncident = 26,
  kHeartbeat = 27,
  kIgnorable = 28,
  kRowsQuery = 29,
  kWriteRows = 30,
  kUpdateRows = 31,
  kDeleteRows = 32,
  kGtid = 33,
  kAnonymousGtid = 34,
  kPreviousGtids = 35,
  kTransactionContext = 36,
  kViewChange = 37,
  kXaPrepare = 38,
  kPartialUpdateRows = 39,
  kTransactionPayload = 40,
  kHeartbeatV2 = 41,
  kGtidTagged = 42,
  kMariadbAnnotateRows = 160,
  kMariadbCheckpoint = 161,
  kMariadbGtid = 162,
  kMariadbGtidList = 163,
  kMariadbStartEncryption = 164,
  kMariadbQueryCompressed = 165,
  kMariadbWriteRowsCompressedV1 = 166,
  kMariadbUpdateRowsCompressedV1 = 167,
  kMariadbDeleteRowsCompressedV1 = 168,
  kMariadbWriteRowsCompressed = 169,
  kMariadbUpdateRowsCompressed = 170,
  kMariadbDeleteRowsCompressed = 171,
};

// "WRITE_ROWS_EVENT (30)".
std::string EventTypeName(EventType type);

inline constexpr size_t kHeaderBytes = 19;
inline constexpr uint16_t kFlagArtificial =
    0x20;  // LOG_EVENT_ARTIFICIAL_F: made by the server, not in the file
inline constexpr uint16_t kFlagIgnorable = 0x80;  // LOG_EVENT_IGNORABLE_F: who does not know it may skip it

struct EventHeader {
  uint32_t timestamp = 0;  // seconds since the epoch, when the statement began
  EventType type = EventType::kUnknown;
  uint32_t server_id = 0;
  uint32_t event_bytes = 0;    // header and checksum included
  uint32_t next_position = 0;  // in the file; 0 for events that were never in one
  uint16_t flags = 0;
};

// The body has neither header nor checksum, and borrows the bytes it was parsed from.
struct Event {
  EventHeader header;
  std::string_view body;
};

// What the FORMAT_DESCRIPTION event says of those after it. The default fits what a server sends before it.
struct Format {
  std::string server_version;
  bool checksums = false;  // each event ends in a CRC32
  bool mariadb = false;
  uint8_t table_id_bytes = 6;  // 4 in servers before 5.1.4
};

// DataLoss when the bytes are no whole event: too short, a length that disagrees, or a wrong CRC32.
absl::StatusOr<Event> ParseEvent(std::string_view bytes, const Format& format);

// InvalidArgument for logs before version 4 (MySQL 5.0). `bytes`: the whole event, checksum included if it
// has one.
absl::StatusOr<Format> ParseFormatDescription(std::string_view bytes);

}  // namespace hakobu::binlog
