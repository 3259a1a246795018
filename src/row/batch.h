// Rows of one table between decode and encode. Row-major cells; their text lies in the batch's own arena (or
// in memory the batch's maker keeps alive as long).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "base/arena.h"
#include "row/cell.h"

namespace hakobu {

enum class RowOperation : uint8_t { kInsert, kUpdateBefore, kUpdateAfter, kDelete };

// Not thread-safe; one owner at a time. Clear keeps memory, so a warm batch allocates nothing per row.
class Batch {
 public:
  explicit Batch(size_t columns) : columns_(columns) {}
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // The new row's cells, all NULL. Valid until the next row.
  std::span<Cell> AddRow() {
    const std::span<Cell> row = AddRowUnset();
    std::memset(static_cast<void*>(row.data()), 0, row.size_bytes());  // Cell::Null() is all zero
    return row;
  }
  // The same for a maker that sets every cell.
  std::span<Cell> AddRowUnset() {
    if (capacity_ - used_ < columns_) [[unlikely]]
      Grow();
    Cell* row = cells_.get() + used_;
    used_ += columns_;
    return {row, columns_};
  }
  void DropLastRow() { used_ -= columns_; }
  std::span<const Cell> Row(size_t row) const { return {cells_.get() + row * columns_, columns_}; }
  // For whoever fills in cells that the maker left NULL, or takes rows out.
  std::span<Cell> MutableRow(size_t row) { return {cells_.get() + row * columns_, columns_}; }
  void KeepFirst(size_t rows) {
    used_ = rows * columns_;
    if (operations.size() > rows) operations.resize(rows);
  }
  size_t rows() const { return columns_ == 0 ? 0 : used_ / columns_; }
  size_t columns() const { return columns_; }
  // Bytes held for the rows, cells and text: what a bounded queue counts.
  size_t bytes() const { return used_ * sizeof(Cell) + arena_.used_bytes() + outside_bytes_; }
  // Text of the rows that their maker keeps elsewhere, until Clear.
  void CountOutside(size_t bytes) { outside_bytes_ += bytes; }
  Arena& arena() { return arena_; }
  void Clear() {
    used_ = 0;
    operations.clear();
    arena_.Reset();
    outside_bytes_ = 0;
  }

  // One per row when the rows come from the log; empty when all are rows of a snapshot.
  std::vector<RowOperation> operations;

 private:
  void Grow() {
    const size_t capacity = std::max(2 * capacity_, kFirstRows * columns_);
    auto cells = std::make_unique_for_overwrite<Cell[]>(capacity);
    std::copy_n(cells_.get(), used_, cells.get());
    cells_ = std::move(cells);
    capacity_ = capacity;
  }

  static constexpr size_t kFirstRows = 64;
  size_t columns_;
  // Not a vector: its resize by a few cells is a call and a loop of its own, a fifth of the time of a read.
  std::unique_ptr<Cell[]> cells_;
  size_t used_ = 0, capacity_ = 0;  // cells
  size_t outside_bytes_ = 0;
  Arena arena_;
};

}  // namespace hakobu
