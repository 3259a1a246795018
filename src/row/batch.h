// Rows of one table between decode and encode. Row-major cells; their text lies in the batch's own arena (or
// in memory the batch's maker keeps alive as long).
#pragma once

#include <cstddef>
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

  // The new row's cells, all NULL. Valid until the next AddRow.
  std::span<Cell> AddRow() {
    cells_.resize(cells_.size() + columns_, Cell::Null());
    return {cells_.data() + cells_.size() - columns_, columns_};
  }
  void DropLastRow() { cells_.resize(cells_.size() - columns_); }
  std::span<const Cell> Row(size_t row) const { return {cells_.data() + row * columns_, columns_}; }
  size_t rows() const { return columns_ == 0 ? 0 : cells_.size() / columns_; }
  size_t columns() const { return columns_; }
  // Bytes held for the rows, cells and text: what a bounded queue counts.
  size_t bytes() const { return cells_.size() * sizeof(Cell) + arena_.used_bytes(); }
  Arena& arena() { return arena_; }
  void Clear() {
    cells_.clear();
    operations.clear();
    arena_.Reset();
  }

  // One per row when the rows come from the log; empty when all are rows of a snapshot.
  std::vector<RowOperation> operations;

 private:
  size_t columns_;
  std::vector<Cell> cells_;
  Arena arena_;
};

}  // namespace hakobu
