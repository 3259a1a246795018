// One decoded value, 16 bytes. decode/ makes cells, from SELECT packets and from the log alike; encode/ reads
// them.
#pragma once

#include <cstdint>
#include <string_view>

namespace hakobu {

enum class CellKind : uint8_t {
  kNull,
  kInt64,      // integer: TINYINT … BIGINT, YEAR
  kUInt64,     // integer: unsigned BIGINT, and BIT as a number
  kDouble,     // real
  kFloat,      // real, of single precision: its shortest text has fewer digits
  kDecimal,    // text: "-123.4500", digits as the server has them, no exponent, no leading zeros but one
  kString,     // text: UTF-8, valid
  kBytes,      // text: raw bytes (BINARY already padded to its length)
  kDate,       // integer: days since 1970-01-01, proleptic Gregorian, year 1 to 9999
  kDateTime,   // integer: microseconds since 1970-01-01T00:00:00 of the civil time itself, year 1 to 9999
  kTimestamp,  // integer: microseconds since the epoch, UTC
  kTime,       // integer: signed microseconds, -838:59:59.000000 to 838:59:59.000000
  kJson,       // text: JSON, UTF-8
  kGeometry,   // text: MySQL's own form: SRID as 4 bytes little-endian, then WKB with x = longitude
  kVector,     // text: little-endian float32s
  kInvalid,  // text: the value as the server would print it; it fits no kind ('0000-00-00', bytes that do not
             // decode)
};

// Whether the kind is one marked text: data and size hold it.
constexpr bool IsText(CellKind kind) {
  switch (kind) {
    case CellKind::kDecimal:
    case CellKind::kString:
    case CellKind::kBytes:
    case CellKind::kJson:
    case CellKind::kGeometry:
    case CellKind::kVector:
    case CellKind::kInvalid:
      return true;
    default:
      return false;
  }
}

struct Cell {
  union {
    int64_t integer;
    uint64_t unsigned_integer;
    double real;
    const char* data;
  };
  uint32_t size = 0;  // bytes at data, for the kinds marked text
  CellKind kind = CellKind::kNull;

  std::string_view text() const { return {data, size}; }
  static Cell Null() { return Cell{{0}, 0, CellKind::kNull}; }
  static Cell Integer(CellKind kind, int64_t value) { return Cell{{.integer = value}, 0, kind}; }
  static Cell Unsigned(uint64_t value) { return Cell{{.unsigned_integer = value}, 0, CellKind::kUInt64}; }
  static Cell Real(CellKind kind, double value) { return Cell{{.real = value}, 0, kind}; }
  static Cell Text(CellKind kind, std::string_view text) {
    return Cell{{.data = text.data()}, static_cast<uint32_t>(text.size()), kind};
  }
};
static_assert(sizeof(Cell) == 16);

}  // namespace hakobu
