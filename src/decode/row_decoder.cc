#include "decode/row_decoder.h"

#include <fmt/format.h>

#include "decode/column_decoder.h"

namespace hakobu {
namespace {

// The null bitmap's first two bits are reserved.
constexpr size_t kNullBitOffset = 2;

}  // namespace

RowDecoder::RowDecoder(const SourceTable& table, const std::vector<size_t>& columns)
    : batch_columns_(table.columns.size()), sets_all_(columns.size() == table.columns.size()) {
  for (const size_t column : columns) {
    decoders_.push_back(MakeColumnDecoder(table.columns[column], column));
    names_.push_back(table.columns[column].name);
  }
}

RowDecoder::~RowDecoder() = default;
RowDecoder::RowDecoder(RowDecoder&&) noexcept = default;
RowDecoder& RowDecoder::operator=(RowDecoder&&) noexcept = default;

absl::Status RowDecoder::Decode(std::string_view packet, Batch* batch) const {
  const size_t bitmap_size = (decoders_.size() + kNullBitOffset + 7) / 8;
  if (packet.size() < 1 + bitmap_size || packet.front() != 0) [[unlikely]]
    return BadPacket(packet, 0);
  const auto* bitmap = reinterpret_cast<const uint8_t*>(packet.data()) + 1;
  const char* at = packet.data() + 1 + bitmap_size;
  const char* end = packet.data() + packet.size();
  batch->CountOutside(packet.size());
  Cell* cells = (sets_all_ ? batch->AddRowUnset() : batch->AddRow()).data();
  size_t bit = kNullBitOffset;
  for (const ColumnDecoder& column : decoders_) {
    const bool null = (bitmap[bit / 8] >> (bit % 8) & 1) != 0;
    ++bit;
    if (null) {
      cells[column.place] = Cell::Null();
      continue;
    }
    at = column.decode(column, at, end, &batch->arena(), cells + column.place);
    if (at == nullptr) [[unlikely]] {
      batch->DropLastRow();
      return BadPacket(packet, bit - kNullBitOffset - 1);
    }
  }
  if (at != end) [[unlikely]] {
    batch->DropLastRow();
    return BadPacket(packet, decoders_.size());
  }
  return absl::OkStatus();
}

absl::Status RowDecoder::DecodeFirst(std::string_view packet, Arena* arena, Cell* cell) const {
  const size_t bitmap_size = (decoders_.size() + kNullBitOffset + 7) / 8;
  if (packet.size() < 1 + bitmap_size || packet.front() != 0) [[unlikely]]
    return BadPacket(packet, 0);
  if ((static_cast<uint8_t>(packet[1]) >> kNullBitOffset & 1) != 0) {
    *cell = Cell::Null();
    return absl::OkStatus();
  }
  const ColumnDecoder& first = decoders_.front();
  const char* at = packet.data() + 1 + bitmap_size;
  if (first.decode(first, at, packet.data() + packet.size(), arena, cell) != nullptr) return absl::OkStatus();
  return BadPacket(packet, 0);
}

absl::Status RowDecoder::BadPacket(std::string_view packet, size_t column) const {
  const std::string where = column < names_.size() ? fmt::format("column {}", names_[column]) : "its end";
  return absl::DataLossError(fmt::format("decode a row of {} bytes: it does not have its table's shape at {}",
                                         packet.size(), where));
}

}  // namespace hakobu
