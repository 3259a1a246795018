// What a MySQL or MariaDB table looks like to hakobu: filled by source/ from information_schema (and by the
// log's table maps), read by everybody else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hakobu {

enum class SourceType : uint8_t {
  kTinyInt,
  kSmallInt,
  kMediumInt,
  kInt,
  kBigInt,
  kDecimal,
  kFloat,
  kDouble,
  kBit,
  kYear,
  kChar,
  kVarchar,
  kText,
  kEnum,
  kSet,  // kText: TINYTEXT to LONGTEXT
  kBinary,
  kVarbinary,
  kBlob,  // kBlob: TINYBLOB to LONGBLOB
  kDate,
  kDateTime,
  kTimestamp,
  kTime,
  kJson,  // MySQL's JSON, and MariaDB's (a text with a json_valid check)
  kGeometry,
  kVector,
};

enum class Generated : uint8_t { kNo, kVirtual, kStored };

struct SourceColumn {
  std::string name;
  SourceType type = SourceType::kInt;
  std::string declared;  // as the server writes it: "int unsigned", "decimal(10,2)", "enum('a','b')"
  bool is_unsigned = false;
  bool nullable = true;
  uint32_t precision = 0;  // DECIMAL: digits in all
  uint32_t scale = 0;      // DECIMAL: digits after the point
  uint32_t fraction = 0;   // DATETIME, TIMESTAMP, TIME: digits of the second, 0..6
  uint64_t length = 0;     // characters for CHAR/VARCHAR/TEXT, bytes for BINARY/VARBINARY/BLOB, bits for BIT
  std::string charset;     // of character columns: "utf8mb4", "cp932" …; empty otherwise
  std::string collation;
  std::vector<std::string> labels;  // ENUM and SET, in order, UTF-8
  std::string geometry;             // "point", "geometry" … for kGeometry
  std::optional<uint32_t> srid;
  Generated generated = Generated::kNo;
  bool invisible = false;
  std::string comment;
};

struct SourceKey {
  std::string name;             // "PRIMARY" or the unique index's name
  std::vector<size_t> columns;  // places in SourceTable::columns, in key order
  bool primary = false;
};

struct SourceTable {
  std::string database;
  std::string name;
  std::vector<SourceColumn> columns;
  // The key rows are ranged over and upserted by: the primary key, else a unique key whose columns are all
  // NOT NULL, else none.
  std::optional<SourceKey> key;
  // MariaDB's system versioning: the column that ends a row's time, hidden where `columns` has none of the
  // name; "": the table is not versioned. No SELECT shows rows whose time has ended, but the log does, and
  // that the server takes the column into each unique key is left out here.
  std::string row_end;
  std::string comment;
  uint64_t estimated_rows = 0;  // the server's own guess; can be off by half
  uint64_t data_bytes = 0;      // of the clustered index
};

// Whether a SELECT reads the column's stored bytes and decode/ converts them. What the server itself cannot
// convert it turns into '?', silently; decode/ reports it.
inline bool ArrivesInOwnCharset(const SourceColumn& column) {
  if (column.type != SourceType::kChar && column.type != SourceType::kVarchar &&
      column.type != SourceType::kText) {
    return false;
  }
  // Of these the server converts all that it stores. MariaDB's uuid and inet types have no character set.
  for (const char* charset : {"", "utf8mb4", "utf8mb3", "utf8", "latin1", "utf16", "utf16le", "utf32"}) {
    if (column.charset == charset) return false;
  }
  return true;
}

}  // namespace hakobu
