#include "decode/binlog/log_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "base/byte_reader.h"
#include "base/status.h"
#include "decode/binlog/compressed.h"
#include "decode/binlog/statement_settings.h"

namespace hakobu::binlog {
namespace {

std::atomic<uint64_t> g_last_serial{0};  // of table maps, whichever decoder parses them

constexpr uint64_t kAnsiQuotes = 4;

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
    announced_ = false;
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
      return HandleUnreadable(absl::DataLossError(
          "INCIDENT: the source says that its log lacks changes; hint: repair the tables of this source"));
    case EventType::kExecuteLoadQuery:
      return HandleLoadData(event);
    case EventType::kMariadbStartEncryption:
      return absl::UnimplementedError(
          "START_ENCRYPTION: the file is encrypted; hint: read it from the server, which decrypts");
    case EventType::kStop:
    case EventType::kBeginLoadQuery:  // a file's contents, for the statement that comes behind them
    case EventType::kAppendBlock:
    case EventType::kDeleteFile:
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
  return HandleUnreadable(absl::UnimplementedError(
      fmt::format("{}: this event is not known and may not be skipped", EventTypeName(event.header.type))));
}

absl::Status LogDecoder::HandleUnreadable(const absl::Status& problem) {
  announced_ = false;
  std::vector<TableMap> tables;
  for (const auto& [id, known] : maps_) {
    if (known->statement == statement_ && known->map.serial != 0) tables.push_back(known->map);
  }
  return visitor_->OnUnreadable(context_, tables, problem);
}

// Execute_load_query_event: a QUERY with the file's id and where its name stands in the text, behind the
// fixed part.
absl::Status LogDecoder::HandleLoadData(const Event& event) {
  constexpr size_t kQueryBytes = 13, kFileBytes = 13;
  if (event.body.size() < kQueryBytes + kFileBytes)
    return absl::DataLossError("EXECUTE_LOAD_QUERY is cut short");
  std::string body(event.body.substr(0, kQueryBytes));
  body += event.body.substr(kQueryBytes + kFileBytes);
  Event query = event;
  query.header.type = EventType::kQuery;
  query.body = body;
  return HandleQuery(query);
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
  statement.settings = ReadStatementSettings(variables);
  statement.ansi_quotes = (statement.settings.sql_mode & kAnsiQuotes) != 0;
  announced_ = false;
  return visitor_->OnStatement(context_, statement);
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

void LogDecoder::Announce() {
  context_.event_in_transaction = 0;
  announced_ = true;
  transaction_position_ = context_.position;
}

absl::Status LogDecoder::Begin() {
  if (!announced_) transaction_position_ = context_.position;
  in_transaction_ = true;
  announced_ = false;
  return visitor_->OnBegin(context_);
}

absl::Status LogDecoder::End(TransactionEnd end) {
  announced_ = false;
  if (!in_transaction_) return absl::OkStatus();
  in_transaction_ = false;
  ForgetMaps();
  const absl::Status ended = visitor_->OnEnd(context_, end);
  context_.gtid.clear();
  context_.xid.clear();
  return ended;
}

}  // namespace hakobu::binlog
