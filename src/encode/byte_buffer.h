// The growing buffers that encoders write into. Clear keeps the memory, so a warm buffer allocates nothing
// per row.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace hakobu {

// Bytes that grow at the end, never zero-filled. Move-only. Not thread-safe.
class ByteBuffer {
 public:
  std::string_view bytes() const { return {data_.get(), size_}; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  char* data() { return data_.get(); }
  void Clear() { size_ = 0; }

  // Room for `more` bytes after size(); returns where they go. Advance or Truncate sets the new size.
  char* Reserve(size_t more) {
    if (more > capacity_ - size_) [[unlikely]]
      Grow(more);
    return data_.get() + size_;
  }
  void Advance(size_t written) { size_ += written; }
  void Truncate(size_t size) { size_ = size; }
  void Append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(Reserve(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }

 private:
  void Grow(size_t more) {
    const size_t capacity = std::max(size_ + more, std::max<size_t>(capacity_ + capacity_ / 2, 4096));
    std::unique_ptr<char[]> data(new char[capacity]);
    if (size_ > 0) std::memcpy(data.get(), data_.get(), size_);
    data_ = std::move(data);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// Rows in the wire form of ProtoRows, and where each one ends, so that a row error's index leads back to its
// bytes.
class EncodedRows {
 public:
  // What AppendRowsRequest.proto_rows.rows is spliced from.
  std::string_view bytes() const { return buffer_.bytes(); }
  size_t rows() const { return ends_.size(); }
  // One row with its tag and length: rows can be left out by leaving out these bytes.
  std::string_view Row(size_t row) const {
    const size_t begin = row == 0 ? 0 : ends_[row - 1];
    return bytes().substr(begin, ends_[row] - begin);
  }
  // One row's message alone.
  std::string_view Message(size_t row) const {
    std::string_view bytes = Row(row).substr(1);
    while ((bytes.front() & 0x80) != 0) bytes.remove_prefix(1);
    return bytes.substr(1);
  }
  void Clear() {
    buffer_.Clear();
    ends_.clear();
  }

  // Takes back all rows but the first `rows`.
  void KeepFirst(size_t rows) {
    buffer_.Truncate(rows == 0 ? 0 : ends_[rows - 1]);
    ends_.resize(rows);
  }

  // For the encoder.
  ByteBuffer& buffer() { return buffer_; }
  void EndRow() { ends_.push_back(static_cast<uint32_t>(buffer_.size())); }

 private:
  ByteBuffer buffer_;
  std::vector<uint32_t> ends_;
};

}  // namespace hakobu
