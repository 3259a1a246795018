#include "decode/binlog/log_decoder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <memory>
#include <vector>

#include "base/byte_reader.h"
#include "base/status.h"

namespace hakobu::binlog {
namespace {

std::atomic<uint64_t> g_last_serial{0};  // of table maps, whichever decoder parses them

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

// MariaDB's compressed events: a byte of method and length size, the length (big-endian), zlib's bytes.
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

constexpr uint64_t kAnsiQuotes = 4;

// The status variables that stand before a QUERY event's text (Query_event in statement_events.h). What comes
// after one that is not known cannot be read.
StatementSettings ReadSettings(std::string_view variables) {
  StatementSettings settings;
  ByteReader reader(variables);
  while (!reader.AtEnd()) {
    switch (reader.U8()) {
      case 0:   // Q_FLAGS2
      case 3:   // Q_AUTO_INCREMENT
      case 10:  // Q_MASTER_DATA_WRITTEN
        reader.Skip(4);
        break;
      case 1:
        settings.sql_mode = reader.U64();
        break;
      case 4:
        settings.client_collation = reader.U16();
        reader.Skip(2);  // the connection's
        settings.server_collation = reader.U16();
        break;
      case 5:  // Q_TIME_ZONE
      case 6:  // Q_CATALOG_NZ
        reader.Skip(reader.U8());
        break;
      case 7:  // Q_LC_TIME_NAMES
        reader.Skip(2);
        break;
      case 8:
        settings.database_collation = reader.U16();
        break;
      case 9:    // Q_TABLE_MAP_FOR_UPDATE
      case 17:   // Q_DDL_LOGGED_WITH_XID
      case 129:  // MariaDB's Q_XID
        reader.Skip(8);
        break;
      case 11:  // Q_INVOKER: user, host
        reader.Skip(reader.U8());
        reader.Skip(reader.U8());
        break;
      case 12: {  // Q_UPDATED_DB_NAMES; 254: too many to name
        uint8_t count = reader.U8();
        if (count == 254) count = 0;
        for (; count > 0 && !reader.AtEnd(); --count) {
          while (!reader.AtEnd() && reader.U8() != 0) continue;
        }
        break;
      }
      case 13:   // Q_MICROSECONDS
      case 128:  // MariaDB's Q_HRNOW
        reader.Skip(3);
        break;
      case 16:
        settings.explicit_timestamps = reader.U8() != 0;
        break;
      case 18:
        settings.utf8mb4_collation = reader.U16();
        break;
      case 19:  // Q_SQL_REQUIRE_PRIMARY_KEY
      case 20:  // Q_DEFAULT_TABLE_ENCRYPTION
        reader.Skip(1);
        break;
      default:
        return settings;
    }
  }
  return settings;
}

std::vector<uint8_t> AsBytes(std::string_view text) {
  return {text.begin(), text.end()};
}

bool Is(std::string_view text, std::string_view word) {
  return text.size() == word.size() && std::equal(text.begin(), text.end(), word.begin(), [](char a, char b) {
           return (a >= 'a' && a <= 'z' ? a - 32 : a) == b;
         });
}

}  // namespace

void LogDecoder::SetPosition(std::string file, uint64_t position) {
  context_.file = std::move(file);
  context_.position = context_.next_position = position;
}

absl::Status LogDecoder::Feed(std::string_view bytes) {
  const auto located = [&](const absl::Status& status) {
    if (status.ok()) return status;
    return Annotate(status,
                    fmt::format("binary log {} at {}", context_.file.empty() ? "(unnamed)" : context_.file,
                                context_.position));
  };
  // Its own last bytes say whether events have checksums, this one included.
  if (bytes.size() > 4 &&
      static_cast<EventType>(static_cast<uint8_t>(bytes[4])) == EventType::kFormatDescription) {
    auto format = ParseFormatDescription(bytes);
    if (!format.ok()) return located(format.status());
    format_ = *std::move(format);
    ByteReader header(bytes.substr(13));
    if (const uint32_t next = header.U32(); next != 0) context_.next_position = next;
    // A server that crashed in a transaction starts its next file without ending it: it was rolled back.
    maps_.clear();
    return in_transaction_ && (bytes[17] & kFlagArtificial) == 0 ? located(End(TransactionEnd::kRollback))
                                                                 : absl::OkStatus();
  }
  const auto event = ParseEvent(bytes, format_);
  if (!event.ok()) return located(event.status());
  const EventHeader& header = event->header;
  context_.timestamp = header.timestamp;
  context_.server_id = header.server_id;
  if (header.next_position != 0) {
    // Positions are 32 bits in the header, files are not: count on from where we are.
    const uint64_t low = header.next_position - header.event_bytes;
    context_.position = context_.next_position > 0xffffffff ? context_.next_position : low;
    context_.next_position = context_.position + header.event_bytes;
  }
  return located(Handle(*event, format_));
}

absl::Status LogDecoder::Handle(const Event& event, const Format& format) {
  ++context_.event_in_transaction;
  switch (event.header.type) {
    case EventType::kRotate:
      return HandleRotate(event);
    case EventType::kQuery:
    case EventType::kMariadbQueryCompressed:
      return HandleQuery(event);
    case EventType::kXid:
      return End(TransactionEnd::kCommit);
    case EventType::kXaPrepare:
      return End(event.body.empty() || event.body[0] == 0 ? TransactionEnd::kXaPrepare
                                                          : TransactionEnd::kCommit);
    case EventType::kGtid:
    case EventType::kAnonymousGtid:
      return HandleGtid(event);
    case EventType::kGtidTagged:
      return HandleTaggedGtid(event);
    case EventType::kMariadbGtid:
      return HandleMariadbGtid(event);
    case EventType::kPreviousGtids: {
      HAKOBU_ASSIGN_OR_RETURN(const GtidSet set, GtidSet::FromBytes(event.body));
      return visitor_->OnPreviousGtids(context_, set);
    }
    case EventType::kTableMap:
      return HandleTableMap(event, format);
    case EventType::kTransactionPayload:
      return HandlePayload(event);
    case EventType::kHeartbeat:
    case EventType::kHeartbeatV2:
      return visitor_->OnHeartbeat(context_);
    case EventType::kIncident:
      return absl::DataLossError(
          "INCIDENT: the source says that its log lacks changes; hint: repair the tables of this source");
    case EventType::kMariadbStartEncryption:
      return absl::UnimplementedError(
          "START_ENCRYPTION: the file is encrypted; hint: read it from the server, which decrypts");
    case EventType::kStop:
    case EventType::kRowsQuery:
    case EventType::kMariadbAnnotateRows:
    case EventType::kMariadbCheckpoint:
    case EventType::kMariadbGtidList:
    case EventType::kIntvar:
    case EventType::kRand:
    case EventType::kUserVar:
    case EventType::kIgnorable:
    case EventType::kTransactionContext:
    case EventType::kViewChange:
      return absl::OkStatus();
    default:
      break;
  }
  if (IsRowsEvent(WithoutCompression(event.header.type))) return HandleRows(event, format);
  if ((event.header.flags & kFlagIgnorable) != 0) return visitor_->OnIgnored(context_, event.header.type);
  return absl::UnimplementedError(fmt::format(
      "{}: this event is not known and may not be skipped; hint: statement-format LOAD DATA needs "
      "binlog_format=ROW",
      EventTypeName(event.header.type)));
}

absl::Status LogDecoder::HandleRotate(const Event& event) {
  ByteReader reader(event.body);
  const uint64_t position = reader.U64();
  if (reader.failed()) return absl::DataLossError("ROTATE is cut short");
  SetPosition(std::string(reader.Rest()), position);
  return visitor_->OnRotate(context_);
}

absl::Status LogDecoder::HandleQuery(const Event& event) {
  ByteReader reader(event.body);
  reader.Skip(8);  // thread, seconds it took
  const uint8_t database_bytes = reader.U8();
  const uint16_t error_code = reader.U16();
  const std::string_view variables = reader.Take(reader.U16());
  const std::string_view database = reader.Take(database_bytes);
  reader.Skip(1);
  if (reader.failed()) return absl::DataLossError("QUERY is cut short");
  // Nearly all of them begin a transaction.
  if (event.header.type == EventType::kQuery && Is(reader.Rest(), "BEGIN")) return Begin();
  LogStatement statement;
  statement.error_code = error_code;
  statement.database = database;
  statement.text = reader.Rest();
  if (event.header.type == EventType::kMariadbQueryCompressed) {
    HAKOBU_RETURN_IF_ERROR(InflateMariadb(reader.Rest(), &inflated_));
    statement.text = inflated_;
  }
  if (Is(statement.text, "BEGIN")) return Begin();
  if (Is(statement.text, "COMMIT")) return End(TransactionEnd::kCommit);
  if (Is(statement.text, "ROLLBACK")) return End(TransactionEnd::kRollback);
  if (statement.text.starts_with("XA START ")) {
    context_.xid = statement.text.substr(9);
    return Begin();
  }
  if (statement.text.starts_with("XA END")) return absl::OkStatus();
  statement.settings = ReadSettings(variables);
  statement.ansi_quotes = (statement.settings.sql_mode & kAnsiQuotes) != 0;
  return visitor_->OnStatement(context_, statement);
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
  context_.event_in_transaction = 0;
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
  context_.event_in_transaction = 0;
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
  context_.event_in_transaction = 0;
  if ((flags & (kPreparedXa | kCompletedXa)) != 0) {
    if ((flags & kGroupCommitId) != 0) reader.Skip(8);
    const uint32_t format = reader.U32();
    const uint8_t global_bytes = reader.U8(), branch_bytes = reader.U8();
    const std::string_view global = reader.Take(global_bytes), branch = reader.Take(branch_bytes);
    if (reader.failed()) return absl::DataLossError("GTID is cut short");
    context_.xid = fmt::format("X'{:02x}',X'{:02x}',{}", fmt::join(AsBytes(global), ""),
                               fmt::join(AsBytes(branch), ""), format);
    // Its end is a statement alone: XA COMMIT, XA ROLLBACK.
    if ((flags & kCompletedXa) != 0) {
      context_.xid.clear();
      return absl::OkStatus();
    }
  }
  return (flags & kStandalone) != 0 ? absl::OkStatus() : Begin();
}

absl::Status LogDecoder::HandleTableMap(const Event& event, const Format& format) {
  // A server that runs for long gives many ids; maps of tables that are gone need no memory.
  constexpr size_t kMostMaps = 1000;
  if (maps_.size() >= kMostMaps) {
    absl::erase_if(maps_, [this](const auto& known) { return known.second->statement != statement_; });
  }
  std::unique_ptr<KnownMap>& known = maps_[PeekTableId(event.body, format)];
  if (known == nullptr) known = std::make_unique<KnownMap>();
  if (known->map.serial == 0 || known->body != event.body) {
    known->map.serial = 0;
    HAKOBU_ASSIGN_OR_RETURN(known->map, ParseTableMap(event.body, format));
    known->map.serial = ++g_last_serial;
    known->body = event.body;
  }
  known->statement = statement_;
  return absl::OkStatus();
}

const TableMap* LogDecoder::FindMap(uint64_t table_id) const {
  const auto found = maps_.find(table_id);
  if (found == maps_.end() || found->second->statement != statement_ || found->second->map.serial == 0)
    return nullptr;
  return &found->second->map;
}

absl::Status LogDecoder::HandleRows(const Event& event, const Format& format) {
  Event plain = event;
  plain.header.type = WithoutCompression(event.header.type);
  HAKOBU_ASSIGN_OR_RETURN(RowsEvent rows, ParseRowsEvent(plain, format));
  if (plain.header.type != event.header.type) {
    HAKOBU_RETURN_IF_ERROR(InflateMariadb(rows.rows, &inflated_));
    rows.rows = inflated_;
  }
  const TableMap* const table = FindMap(rows.table_id);
  if (table == nullptr) {
    // Table id 0xffffff is a dummy that only ends a statement.
    if (rows.rows.empty()) return absl::OkStatus();
    return absl::DataLossError(
        fmt::format("{}: no table map for table id {}; hint: start at a transaction's begin",
                    EventTypeName(event.header.type), rows.table_id));
  }
  HAKOBU_RETURN_IF_ERROR(visitor_->OnRows(context_, *table, rows));
  if (rows.statement_end) ForgetMaps();
  return absl::OkStatus();
}

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

absl::Status LogDecoder::Begin() {
  in_transaction_ = true;
  return visitor_->OnBegin(context_);
}

absl::Status LogDecoder::End(TransactionEnd end) {
  if (!in_transaction_) return absl::OkStatus();
  in_transaction_ = false;
  ForgetMaps();
  const absl::Status ended = visitor_->OnEnd(context_, end);
  context_.gtid.clear();
  context_.xid.clear();
  return ended;
}

}  // namespace hakobu::binlog
