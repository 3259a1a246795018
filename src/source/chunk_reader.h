// Reads one chunk as raw row packets of the binary protocol, streamed: no cursor on the server, no copy here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "row/source_table.h"
#include "source/chunk.h"
#include "source/connection.h"
#include "source/packet_stream.h"

struct st_mysql_stmt;

namespace hakobu {

// Usage: Open a chunk, Next until false, look at status(). Then Open the next chunk. Owns the connection's
// wire while a chunk is open; destroying it mid-chunk leaves the connection unusable (it is cut, so that the
// server stops). Not thread-safe; another thread ends a blocked call with Connection::Interrupt.
class ChunkReader {
 public:
  // `columns`: places in table.columns, at least one. `connection` and `table` outlive the reader.
  ChunkReader(Connection* connection, const SourceTable* table, std::vector<size_t> columns,
              std::string where = {});
  ~ChunkReader();
  ChunkReader(const ChunkReader&) = delete;
  ChunkReader& operator=(const ChunkReader&) = delete;

  // One statement, its own transaction. FailedPrecondition when the table's columns no longer have the types
  // that `table` says (it was altered since): read the schema again.
  absl::Status Open(const Chunk& chunk);
  // The next row's packet, as in "Binary Protocol Resultset Row" of MySQL's internals manual; valid until
  // Release, also after the chunk's end. False at the end and on an error.
  bool Next(std::string_view* packet);
  // No packet given out so far is looked at any more. Without it memory grows with the chunk.
  void Release() { packets_.Release(); }
  // OK while rows come and after the last one, when the server says that it sent as many. Errors as
  // Connection's; a lost connection is Unavailable: read the chunk again, whole, on another connection.
  const absl::Status& status() const { return status_; }

  uint64_t rows() const { return rows_; }    // of the open chunk
  uint64_t bytes() const { return bytes_; }  // of its packets

 private:
  absl::Status CheckTypes();
  bool Lost();
  bool End(std::string_view packet);
  absl::Status CheckCount();
  void Close();

  Connection* connection_;
  const SourceTable* table_;
  std::vector<size_t> columns_;
  std::string where_;
  struct st_mysql_stmt* statement_ = nullptr;
  PacketStream packets_;
  bool streaming_ = false;
  absl::Status status_;
  uint64_t rows_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace hakobu
