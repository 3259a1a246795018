// Where decoded values go: the vectors of a DuckDB data chunk, one sink for a column and one for each field
// inside it. Texts and bytes are stored as references: what they point to must live until the chunk was
// appended.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "localbq/catalog/schema.h"

namespace hakobu::localbq {

// Not thread-safe. A repeated column has one child, its element; a RECORD one child for each field, a RANGE
// two.
class ColumnSink {
 public:
  explicit ColumnSink(const Column& column, bool as_element = false);

  // Begins a chunk: all `rows` slots become NULL, lists empty.
  void Attach(duckdb_vector vector, idx_t rows);

  const Column& column() const { return column_; }
  bool is_list() const { return is_list_; }
  ColumnSink& child(size_t index) { return children_[index]; }
  size_t child_count() const { return children_.size(); }

  bool IsSet(idx_t slot) const { return (validity_[slot >> 6] >> (slot & 63) & 1) != 0; }
  void SetValid(idx_t slot) { validity_[slot >> 6] |= uint64_t{1} << (slot & 63); }
  void SetNull(idx_t slot) { validity_[slot >> 6] &= ~(uint64_t{1} << (slot & 63)); }

  template <typename T>
  void Put(idx_t slot, T value) {
    static_cast<T*>(data_)[slot] = value;
    SetValid(slot);
  }
  void PutText(idx_t slot, std::string_view text);

  // NULL, or an empty list, as after Attach.
  void ClearSlot(idx_t slot);
  // A list's next element, for the row that is being filled; its slot in child(0) is NULL.
  idx_t PushElement(idx_t slot);
  idx_t ListLength(idx_t slot) const { return static_cast<duckdb_list_entry*>(data_)[slot].length; }
  // Tells DuckDB how many elements the lists hold. Once, after the chunk's last row.
  void Finish();

 private:
  // DuckDB wants every field of a NULL record to be NULL, and lists start as empty ones.
  void NullListsUnderNulls(idx_t slots);
  void Refresh();

  Column column_;
  bool is_list_ = false;
  std::vector<ColumnSink> children_;
  duckdb_vector vector_ = nullptr;
  void* data_ = nullptr;
  uint64_t* validity_ = nullptr;
  idx_t list_size_ = 0;
  idx_t capacity_ = 0;
};

inline void ColumnSink::PutText(idx_t slot, std::string_view text) {
  duckdb_string_t value;
  value.value.inlined.length = static_cast<uint32_t>(text.size());
  if (text.size() <= sizeof value.value.inlined.inlined) {
    std::memset(value.value.inlined.inlined, 0, sizeof value.value.inlined.inlined);
    if (!text.empty()) std::memcpy(value.value.inlined.inlined, text.data(), text.size());
  } else {
    std::memcpy(value.value.pointer.prefix, text.data(), sizeof value.value.pointer.prefix);
    value.value.pointer.ptr = const_cast<char*>(text.data());
  }
  Put(slot, value);
}

}  // namespace hakobu::localbq
