// Values as MySQL packs them in log rows and inside binary JSON.
// Source: decimal2bin/bin2decimal (strings/decimal.cc), TIME_from_longlong_* (mysys/my_time.cc) in the
// server.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "row/cell.h"

namespace hakobu::binlog {

// Bytes a DECIMAL(precision, scale) takes.
size_t PackedDecimalBytes(uint8_t precision, uint8_t scale);
// The digits as text, as a SELECT prints them. `bytes` has PackedDecimalBytes. False when it is no decimal.
bool DecimalText(std::string_view bytes, uint8_t precision, uint8_t scale, Arena* arena,
                 std::string_view* text);

struct CivilParts {
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, micros = 0;
};
// A kDate or kDateTime cell, or kInvalid with the server's text (`fraction` digits) for zero, partial and
// impossible dates and for year 0.
Cell DateCell(const CivilParts& parts, Arena* arena);
Cell DateTimeCell(const CivilParts& parts, unsigned fraction, Arena* arena);

}  // namespace hakobu::binlog
