// Rows built value by value into DuckDB chunks: what every load reader and insertAll fill.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "base/arena.h"
#include "localbq/catalog/schema.h"
#include "localbq/catalog/warehouse.h"
#include "localbq/storage_api/column_defaults.h"
#include "localbq/storage_api/column_sink.h"
#include "localbq/storage_api/value_store.h"

namespace hakobu::localbq::rest {

// Not thread-safe. Texts that are put must live until the next Flush; the arena does.
class RowFiller {
 public:
  using Emit = absl::FunctionRef<absl::Status(const Chunk& chunk)>;

  explicit RowFiller(const Schema& schema);
  std::vector<ColumnSink>& sinks() { return sinks_; }
  idx_t slot() const { return rows_; }
  Arena& arena() { return arena_; }
  StoreContext context() { return {&arena_, &error_}; }
  // Of the last value that was refused.
  const std::string& error() const { return error_; }

  // Rows take a value that they lack from `defaults`, unless NoteNull said that it is NULL on purpose. It
  // must outlive the filler.
  void UseDefaults(ColumnDefaults* defaults);
  void NoteNull(size_t column) {
    if (defaults_ != nullptr) nulls_[column][rows_] = true;
  }
  bool TakesDefault(size_t column) const {
    return defaults_ != nullptr && defaults_->Has(column) && !nulls_[column][rows_];
  }

  // The row at slot() is complete. A REQUIRED column without a value: InvalidArgument, and the row is
  // dropped.
  absl::Status Finish();
  void Discard();
  bool full() const { return rows_ == capacity_; }
  // Hands over what there is and begins the next chunk.
  absl::Status Flush(Emit emit);

 private:
  void Begin();

  Schema schema_;
  std::vector<ColumnSink> sinks_;
  Chunk chunk_;
  Arena arena_;
  std::string error_;
  ColumnDefaults* defaults_ = nullptr;
  std::vector<std::vector<bool>> nulls_;  // by column and row, with defaults
  idx_t rows_ = 0;
  const idx_t capacity_;
};

// Stores a text as any scalar type, as CSV files and JSON strings write values. False: filler.error() says
// why.
bool StoreText(std::string_view text, idx_t slot, ColumnSink* sink, const StoreContext& context);

}  // namespace hakobu::localbq::rest
