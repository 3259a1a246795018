// Chunks of streamed tables: first copies and comparisons keep theirs alike, each in a table of its own.
#pragma once

#include <string_view>

#include "ledger/column.h"
#include "ledger/stream_book.h"

namespace hakobu {

RecordTable<StreamChunkRecord> StreamChunkTable(std::string_view name);

}  // namespace hakobu
