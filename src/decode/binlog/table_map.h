// TABLE_MAP: which table the row events after it are of, and how their columns lie in the log.
// Source: Table_map_event in the server's libs/mysql/binlog/event/rows_event.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "decode/binlog/event.h"

namespace hakobu::binlog {

// enum_field_types, include/field_types.h; MariaDB's compressed ones from its own.
enum class LogType : uint8_t {
  kTiny = 1,
  kShort = 2,
  kLong = 3,
  kFloat = 4,
  kDouble = 5,
  kNull = 6,
  kTimestamp = 7,
  kLongLong = 8,
  kInt24 = 9,
  kDate = 10,
  kTime = 11,
  kDateTime = 12,
  kYear = 13,
  kNewDate = 14,
  kVarchar = 15,
  kBit = 16,
  kTimestamp2 = 17,
  kDateTime2 = 18,
  kTime2 = 19,
  kTypedArray = 20,
  kBlobCompressed = 140,
  kVarcharCompressed = 141,
  kVector = 242,
  kJson = 245,
  kNewDecimal = 246,
  kEnum = 247,
  kSet = 248,
  kTinyBlob = 249,
  kMediumBlob = 250,
  kLongBlob = 251,
  kBlob = 252,
  kVarString = 253,
  kString = 254,
  kGeometry = 255,
};

struct LogColumn {
  LogType type = LogType::kNull;  // CHAR's disguises undone: ENUM and SET are kEnum and kSet here
  uint16_t length = 0;    // by type: bytes (CHAR, VARCHAR, ENUM, SET), bits (BIT), length bytes (BLOB …)
  uint8_t precision = 0;  // NEWDECIMAL
  uint8_t scale = 0;      // NEWDECIMAL's digits after the point; a temporal's digits of the second
  bool nullable = true;
  // From the optional metadata. Signs and character sets are always there (MySQL 8.0.1, MariaDB 10.5 and
  // later); the rest only with binlog_row_metadata=FULL.
  std::optional<bool> is_unsigned;
  std::optional<uint32_t> collation;
  std::string name;
  std::vector<std::string> labels;  // raw bytes in the column's character set
  std::optional<uint32_t> geometry_type;
  std::optional<bool> visible;
  friend bool operator==(const LogColumn&, const LogColumn&) = default;
};

struct TableMap {
  uint64_t table_id = 0;
  std::string database;
  std::string table;
  std::vector<LogColumn> columns;
  std::vector<size_t> primary_key;  // places in columns; empty when not stated
  bool has_names = false;
  // Given by LogDecoder: with the same one, two maps are the same map, and need not be compared. 0: none
  // given.
  uint64_t serial = 0;

  friend bool operator==(const TableMap& a, const TableMap& b) {
    if (a.serial != 0 && a.serial == b.serial) return true;
    return a.table_id == b.table_id && a.database == b.database && a.table == b.table &&
           a.columns == b.columns && a.primary_key == b.primary_key && a.has_names == b.has_names;
  }
};

// DataLoss when the event does not have the shape it should.
absl::StatusOr<TableMap> ParseTableMap(std::string_view body, const Format& format);

// Which table id a row event or table map is of, without parsing the rest.
uint64_t PeekTableId(std::string_view body, const Format& format);

}  // namespace hakobu::binlog
