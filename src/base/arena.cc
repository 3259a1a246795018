#include "base/arena.h"

#include <algorithm>

namespace hakobu {

void Arena::Grow(size_t size) {
  while (next_block_ < blocks_.size() && blocks_[next_block_].size < size) ++next_block_;
  if (next_block_ == blocks_.size()) {
    const size_t block_size = std::max(size, block_bytes_);
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(block_size), block_size});
  }
  Block& block = blocks_[next_block_++];
  at_ = block.bytes.get();
  end_ = at_ + block.size;
}

void Arena::Reset() {
  // One outsized value must not hold its memory for the rest of the run.
  std::erase_if(blocks_, [&](const Block& block) { return block.size > block_bytes_; });
  next_block_ = 0;
  at_ = end_ = nullptr;
  used_bytes_ = 0;
}

}  // namespace hakobu
