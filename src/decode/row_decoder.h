// Rows of the binary protocol ("Binary Protocol Resultset Row" and "Binary Protocol Value" in MySQL's
// internals manual) into cells.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "row/batch.h"
#include "row/source_table.h"

namespace hakobu {

struct ColumnDecoder;  // decode/column_decoder.h

// Immutable after construction, so that threads may share one. Decode allocates nothing but batch memory.
class RowDecoder {
 public:
  // `columns`: places in table.columns, in the SELECT's order (source/ChunkSelect). Rows are put into batches
  // of table.columns.size() columns, so that a cell's place is its column's; what was not selected stays
  // NULL.
  RowDecoder(const SourceTable& table, const std::vector<size_t>& columns);
  ~RowDecoder();
  RowDecoder(RowDecoder&&) noexcept;
  RowDecoder& operator=(RowDecoder&&) noexcept;

  // Adds one row. Its cells point into the packet, which must stay as it is until the batch is cleared.
  // Values that fit no kind (zero dates, text that is not UTF-8) become kInvalid and are no error.
  // DataLoss, and no row, when the packet does not have the shape the table says.
  absl::Status Decode(std::string_view packet, Batch* batch) const;
  // The first selected column alone, of a packet whose other columns are not looked at. Text in the cell
  // points into the packet or into `arena`.
  absl::Status DecodeFirst(std::string_view packet, Arena* arena, Cell* cell) const;
  // All columns of the table.
  size_t batch_columns() const { return batch_columns_; }

 private:
  absl::Status BadPacket(std::string_view packet, size_t column) const;

  size_t batch_columns_;
  bool sets_all_;  // every column was selected
  std::vector<ColumnDecoder> decoders_;
  std::vector<std::string> names_;
};

}  // namespace hakobu
