#include "source/chunk_reader.h"

#include <errmsg.h>
#include <fmt/format.h>
#include <mysql.h>

#include "base/byte_reader.h"
#include "source/wire_type.h"

namespace hakobu {
namespace {

constexpr uint8_t kRowHeader = 0x00;
constexpr uint8_t kEndHeader = 0xfe;  // EOF, or OK where CLIENT_DEPRECATE_EOF was agreed
constexpr uint8_t kErrorHeader = 0xff;

}  // namespace

ChunkReader::ChunkReader(Connection* connection, const SourceTable* table, std::vector<size_t> columns,
                         std::string where)
    : connection_(connection),
      table_(table),
      columns_(std::move(columns)),
      where_(std::move(where)),
      packets_(connection->handle()) {}

ChunkReader::~ChunkReader() {
  if (streaming_) connection_->Interrupt();
  Close();
}

void ChunkReader::Close() {
  if (statement_ == nullptr) return;
  // Rows were taken past the library: tell it that nothing is left, or it would read the wire again.
  statement_->state = MYSQL_STMT_FETCH_DONE;
  connection_->handle()->status = MYSQL_STATUS_READY;
  mysql_stmt_close(statement_);
  statement_ = nullptr;
  streaming_ = false;
}

absl::Status ChunkReader::Open(const Chunk& chunk) {
  if (streaming_) return absl::FailedPreconditionError("open a chunk: the one before is not read to its end");
  rows_ = 0;
  bytes_ = 0;
  status_ = absl::OkStatus();
  auto sql = ChunkSelect(*table_, columns_, chunk, where_);
  if (!sql.ok()) return status_ = std::move(sql).status();
  const std::string phrase = fmt::format("read {}.{} chunk {}", table_->database, table_->name, chunk.number);
  statement_ = mysql_stmt_init(connection_->handle());
  if (statement_ == nullptr) return status_ = connection_->LastError(phrase);
  if (mysql_stmt_prepare(statement_, sql->data(), sql->size()) == 0) {
    status_ = Annotate(CheckTypes(), phrase);
    if (status_.ok() && mysql_stmt_execute(statement_) == 0) {
      streaming_ = true;
      return absl::OkStatus();
    }
  }
  if (status_.ok()) {
    status_ = connection_->ErrorFor(mysql_stmt_errno(statement_), mysql_stmt_error(statement_), phrase);
  }
  Close();
  return status_;
}

absl::Status ChunkReader::CheckTypes() {
  const std::string changed = "the table was altered since its schema was read: run again";
  if (statement_->field_count != columns_.size()) {
    return WithHint(absl::FailedPreconditionError(fmt::format("expected {} columns, found {}",
                                                              columns_.size(), statement_->field_count)),
                    changed);
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    const SourceColumn& column = table_->columns[columns_[i]];
    const MYSQL_FIELD& field = statement_->fields[i];
    if (ArrivesAs(column, static_cast<int>(field.type), (field.flags & UNSIGNED_FLAG) != 0)) continue;
    return WithHint(absl::FailedPreconditionError(fmt::format(
                        "column {}: expected {}, found wire type {}{}", column.name, column.declared,
                        static_cast<int>(field.type), (field.flags & UNSIGNED_FLAG) != 0 ? " unsigned" : "")),
                    changed);
  }
  return absl::OkStatus();
}

bool ChunkReader::Next(std::string_view* packet) {
  if (!streaming_) [[unlikely]]
    return false;
  if (!packets_.Next(packet)) [[unlikely]]
    return Lost();
  if (packet->empty() || static_cast<uint8_t>(packet->front()) != kRowHeader) [[unlikely]]
    return End(*packet);
  ++rows_;
  bytes_ += packet->size();
  return true;
}

bool ChunkReader::Lost() {
  const std::string phrase = fmt::format("read {}.{} after {} rows", table_->database, table_->name, rows_);
  // The library knows better where it has read the packets itself.
  status_ =
      mysql_errno(connection_->handle()) != 0
          ? connection_->LastError(phrase)
          : connection_->ErrorFor(CR_SERVER_LOST, "lost connection to the server while it sent rows", phrase);
  connection_->Cut();
  Close();
  return false;
}

bool ChunkReader::End(std::string_view packet) {
  ByteReader reader(packet);
  const uint8_t header = reader.U8();
  const std::string phrase = fmt::format("read {}.{} after {} rows", table_->database, table_->name, rows_);
  if (header == kErrorHeader) {
    const uint16_t number = reader.U16();
    if (reader.Peek() == '#') reader.Skip(6);  // SQL state
    status_ = connection_->ErrorFor(number, reader.Rest(), phrase);
  } else if (header == kEndHeader && packets_.drained()) {
    reader.Skip(2);  // warnings
    connection_->handle()->server_status = reader.U16();
  } else {
    status_ = absl::InternalError(fmt::format(
        "{}: expected a row, or the end and nothing after it; found a packet that begins with 0x{:02x}",
        phrase, header));
    connection_->Cut();
  }
  Close();
  if (status_.ok()) status_ = Annotate(CheckCount(), phrase);
  return false;
}

// The server's own figure for the rows that it sent. It costs a round trip and no row, and differs where rows
// are lost on the way: by a proxy that limits results, or by an error here. What the server itself would
// leave out it does not know of: that is what the session's variables are pinned for.
absl::Status ChunkReader::CheckCount() {
  HAKOBU_ASSIGN_OR_RETURN(const std::string sent, connection_->QueryValue("SELECT FOUND_ROWS()"));
  if (sent == fmt::format("{}", rows_)) return absl::OkStatus();
  return WithHint(absl::DataLossError(fmt::format("the server sent {} rows, {} arrived", sent, rows_)),
                  "is there a proxy between that limits results? Connect to the server directly");
}

}  // namespace hakobu
