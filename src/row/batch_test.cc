#include "row/batch.h"

#include <gtest/gtest.h>

namespace hakobu {
namespace {

TEST(Batch, RowsKeepTheirCellsAndClearKeepsNothing) {
  Batch batch(2);
  for (int i = 0; i < 1000; ++i) {
    const std::span<Cell> row = batch.AddRow();
    row[0] = Cell::Integer(CellKind::kInt64, i);
    row[1] = Cell::Text(CellKind::kString, batch.arena().Copy(std::to_string(i)));
  }
  ASSERT_EQ(batch.rows(), 1000u);
  EXPECT_EQ(batch.Row(999)[0].integer, 999);
  EXPECT_EQ(batch.Row(17)[1].text(), "17");
  EXPECT_GT(batch.bytes(), 1000 * 2 * sizeof(Cell));
  batch.DropLastRow();
  EXPECT_EQ(batch.rows(), 999u);
  batch.Clear();
  EXPECT_EQ(batch.rows(), 0u);
  EXPECT_EQ(batch.bytes(), 0u);
}

}  // namespace
}  // namespace hakobu
