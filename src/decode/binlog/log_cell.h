// One value of a log row into a cell: a small function per type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/byte_reader.h"
#include "decode/binlog/table_map.h"
#include "row/cell.h"

namespace hakobu {
class Charset;
}

namespace hakobu::binlog {

struct LogCellColumn;

// Reads exactly the value's bytes. False when they cannot be a value of the column. Text lies in the arena or
// in the event's own bytes.
using LogCellDecoder = bool (*)(const LogCellColumn& column, ByteReader* reader, Arena* arena,
                                std::string* scratch, Cell* cell);

// A column with everything needed to read it, from the table map and the table it is known to be of.
struct LogCellColumn {
  LogCellDecoder decode = nullptr;
  LogType type = LogType::kNull;
  uint16_t length = 0;  // as LogColumn::length
  uint8_t precision = 0, scale = 0;
  bool is_unsigned = false;
  bool is_json_text = false;         // MariaDB's JSON: a text
  const Charset* charset = nullptr;  // null: bytes
  std::vector<std::string> labels;   // UTF-8
};

// Null for a type that never is in a table.
LogCellDecoder FindLogCellDecoder(LogType type);

// The raw bytes of a JSON column's value (4-byte length, document or diffs).
std::string_view TakeJsonBytes(const LogCellColumn& column, ByteReader* reader);

}  // namespace hakobu::binlog
