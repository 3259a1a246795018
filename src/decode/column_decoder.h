// One small function per form of "Binary Protocol Value" (MySQL's internals manual), and which one a column
// takes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/arena.h"
#include "decode/charset/charset.h"
#include "row/cell.h"
#include "row/source_table.h"

namespace hakobu {

struct ColumnDecoder;

// Reads one value that is not NULL at `at` into `cell`; returns the place after it, or null when the packet
// ends within the value. Text in the cell points into the packet, or into `arena` where it had to be made.
using DecodeFunction = const char* (*)(const ColumnDecoder& column, const char* at, const char* end,
                                       Arena* arena, Cell* cell);

struct ColumnDecoder {
  DecodeFunction decode = nullptr;
  uint32_t place = 0;     // in the batch's rows
  uint32_t fraction = 0;  // digits of the second
  uint64_t length = 0;    // of BINARY, to pad to
  CellKind kind = CellKind::kNull;
  const Charset* charset = nullptr;  // of columns that arrive in their own
};

ColumnDecoder MakeColumnDecoder(const SourceColumn& column, size_t place);

}  // namespace hakobu
