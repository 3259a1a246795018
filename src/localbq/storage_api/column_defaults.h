// The DEFAULT values of a table's columns, computed by DuckDB and put into chunks where rows have no value.
#pragma once

#include <duckdb.h>

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/arena.h"
#include "localbq/catalog/schema.h"
#include "localbq/catalog/warehouse.h"

namespace hakobu::localbq {

// Of scalar columns: a REPEATED or RECORD column's default is applied by INSERT alone. Not thread-safe.
class ColumnDefaults {
 public:
  // InvalidArgument for an expression that is not supported. `schema` is copied from.
  static absl::StatusOr<ColumnDefaults> Prepare(Warehouse* warehouse, const Schema& schema);

  // Whether column `index` of the schema has a default that Fill applies.
  bool Has(size_t index) const { return index < expressions_.size() && !expressions_[index].empty(); }
  bool IsEmpty() const { return is_empty_; }

  // Puts the default of column `index` into the NULL rows of `chunk` that `is_missing` answers for. Each row
  // has a value of its own (GENERATE_UUID). Texts live until Release.
  absl::Status Fill(size_t index, const Chunk& chunk, absl::FunctionRef<bool(idx_t row)> is_missing);
  void Release() { arena_.Reset(); }

 private:
  Warehouse* warehouse_ = nullptr;
  std::vector<std::string> expressions_;  // DuckDB's, by column; empty: none
  bool is_empty_ = true;
  Arena arena_;
};

}  // namespace hakobu::localbq
