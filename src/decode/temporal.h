// "Binary Protocol Value", ProtocolBinary DATE, DATETIME, TIMESTAMP and TIME.
#pragma once

#include "decode/column_decoder.h"

namespace hakobu {

// Dates that are none (zero, partial, 31 February, year 0) become kInvalid with the server's text of them.
const char* DecodeDate(const ColumnDecoder& column, const char* at, const char* end, Arena* arena,
                       Cell* cell);
// DATETIME and TIMESTAMP alike; column.kind tells which.
const char* DecodeDateTime(const ColumnDecoder& column, const char* at, const char* end, Arena* arena,
                           Cell* cell);
const char* DecodeTime(const ColumnDecoder& column, const char* at, const char* end, Arena* arena,
                       Cell* cell);

}  // namespace hakobu
