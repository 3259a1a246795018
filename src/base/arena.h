// Bump allocation for the bytes of one batch. Reset keeps the memory, so a warm arena allocates nothing.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace hakobu {

// Not thread-safe. Pointers stay valid until Reset.
class Arena {
 public:
  explicit Arena(size_t block_bytes = 64 * 1024) : block_bytes_(block_bytes) {}

  char* Allocate(size_t size) {
    if (size > static_cast<size_t>(end_ - at_)) [[unlikely]]
      Grow(size);
    char* result = at_;
    at_ += size;
    used_bytes_ += size;
    return result;
  }
  // Gives back the unused tail of the last Allocate: `kept` of the `size` bytes that were asked for.
  void ShrinkLast(size_t size, size_t kept) {
    at_ -= size - kept;
    used_bytes_ -= size - kept;
  }
  std::string_view Copy(std::string_view bytes) {
    char* copy = Allocate(bytes.size());
    if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
    return {copy, bytes.size()};
  }
  void Reset();
  size_t used_bytes() const { return used_bytes_; }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };
  void Grow(size_t size);

  size_t block_bytes_;
  std::vector<Block> blocks_;
  size_t next_block_ = 0;
  char* at_ = nullptr;
  char* end_ = nullptr;
  size_t used_bytes_ = 0;
};

}  // namespace hakobu
