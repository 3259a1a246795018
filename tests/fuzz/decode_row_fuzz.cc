// Any bytes as a row packet: RowDecoder refuses it or makes cells that lie within the batch, and never more.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "decode/decode.h"
#include "decode/utf8.h"

namespace {

// A column of every type; signed and unsigned.
hakobu::SourceTable EveryType() {
  hakobu::SourceTable table;
  for (int type = 0; type <= static_cast<int>(hakobu::SourceType::kVector); ++type) {
    for (const bool is_unsigned : {false, true}) {
      hakobu::SourceColumn column;
      column.type = static_cast<hakobu::SourceType>(type);
      column.is_unsigned = is_unsigned;
      column.fraction = static_cast<uint32_t>(type % 7);
      column.length = 16;
      table.columns.push_back(column);
    }
  }
  return table;
}

}  // namespace

// The first byte chooses the first column, the second how many follow; the rest is the packet.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hakobu::SourceTable table = EveryType();
  if (size < 2) return 0;
  std::vector<size_t> columns;
  for (size_t i = 0; i < 1u + data[1] % 24; ++i) columns.push_back((data[0] + i) % table.columns.size());
  const hakobu::RowDecoder decoder(table, columns);
  hakobu::Batch batch(decoder.batch_columns());
  const std::string_view packet(reinterpret_cast<const char*>(data) + 2, size - 2);
  const bool decoded = decoder.Decode(packet, &batch).ok();
  if (batch.rows() != (decoded ? 1u : 0u)) std::abort();
  if (!decoded) return 0;
  for (const hakobu::Cell& cell : batch.Row(0)) {
    const bool is_utf8 = cell.kind == hakobu::CellKind::kString || cell.kind == hakobu::CellKind::kJson ||
                         cell.kind == hakobu::CellKind::kInvalid || cell.kind == hakobu::CellKind::kDecimal;
    if (is_utf8 && !hakobu::IsUtf8(cell.text())) std::abort();
  }
  return 0;
}
