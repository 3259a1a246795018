#include "localbq/storage_api/column_sink.h"

#include <algorithm>

namespace hakobu::localbq {
ColumnSink::ColumnSink(const Column& column, bool as_element) : column_(column) {
  is_list_ = column.mode == Mode::kRepeated && !as_element;
  if (is_list_) {
    children_.emplace_back(column, /*as_element=*/true);
  } else if (column.type == Type::kRecord) {
    for (const Column& field : column.fields) children_.emplace_back(field);
  } else if (column.type == Type::kRange) {
    children_.emplace_back(RangeBound(column, "start"));
    children_.emplace_back(RangeBound(column, "end"));
  }
}

void ColumnSink::Refresh() {
  duckdb_vector_ensure_validity_writable(vector_);
  validity_ = duckdb_vector_get_validity(vector_);
  data_ = duckdb_vector_get_data(vector_);
}

void ColumnSink::Attach(duckdb_vector vector, idx_t rows) {
  vector_ = vector;
  capacity_ = rows;
  Refresh();
  std::memset(validity_, 0, (rows + 63) / 64 * sizeof(uint64_t));
  if (is_list_) {
    list_size_ = 0;
    const idx_t reserved = std::max<idx_t>(duckdb_vector_size(), rows);
    duckdb_list_vector_reserve(vector, reserved);
    for (idx_t slot = 0; slot < rows; ++slot) ClearSlot(slot);
    children_[0].Attach(duckdb_list_vector_get_child(vector), reserved);
    return;
  }
  for (size_t i = 0; i < children_.size(); ++i)
    children_[i].Attach(duckdb_struct_vector_get_child(vector, i), rows);
}

void ColumnSink::ClearSlot(idx_t slot) {
  if (is_list_) {
    static_cast<duckdb_list_entry*>(data_)[slot] = {list_size_, 0};
    SetValid(slot);
    return;
  }
  SetNull(slot);
  for (ColumnSink& child : children_) child.ClearSlot(slot);
}

idx_t ColumnSink::PushElement(idx_t slot) {
  ColumnSink& element = children_[0];
  if (list_size_ == element.capacity_) {
    const idx_t capacity = element.capacity_ * 2;
    duckdb_list_vector_set_size(vector_, list_size_);
    duckdb_list_vector_reserve(vector_, capacity);
    const auto refresh = [capacity](auto&& self, ColumnSink& sink, duckdb_vector vector) -> void {
      sink.vector_ = vector;
      sink.capacity_ = capacity;
      sink.Refresh();
      if (sink.is_list_) return;
      for (size_t i = 0; i < sink.children_.size(); ++i) {
        self(self, sink.children_[i], duckdb_struct_vector_get_child(vector, i));
      }
    };
    refresh(refresh, element, duckdb_list_vector_get_child(vector_));
  }
  auto& entry = static_cast<duckdb_list_entry*>(data_)[slot];
  if (entry.length++ == 0) entry.offset = list_size_;
  element.ClearSlot(list_size_);
  return list_size_++;
}

void ColumnSink::Finish() {
  if (is_list_) {
    duckdb_list_vector_set_size(vector_, list_size_);
    children_[0].NullListsUnderNulls(list_size_);
  } else {
    NullListsUnderNulls(capacity_);
  }
  for (ColumnSink& child : children_) child.Finish();
}

void ColumnSink::NullListsUnderNulls(idx_t slots) {
  if (is_list_) return;
  for (ColumnSink& child : children_) {
    if (!child.is_list_) continue;
    for (idx_t slot = 0; slot < slots; ++slot) {
      if (!IsSet(slot)) child.SetNull(slot);
    }
  }
}

}  // namespace hakobu::localbq
