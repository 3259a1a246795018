#include "decode/utf8.h"

#include <cstdint>
#include <cstring>

namespace hakobu {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080ull;

inline bool IsAsciiEight(const uint8_t* eight) {
  uint64_t word;
  std::memcpy(&word, eight, sizeof(word));
  return (word & kHighBits) == 0;
}

inline bool IsTail(uint8_t byte) {
  return (byte & 0xc0) == 0x80;
}

// The length of the valid sequence of two to four bytes at `at`; 0: none.
inline size_t SequenceLength(const uint8_t* at, size_t left) {
  const uint8_t first = at[0];
  if (first < 0xc2) return 0;
  if (first < 0xe0) return left >= 2 && IsTail(at[1]) ? 2 : 0;
  if (first < 0xf0) {
    if (left < 3 || !IsTail(at[1]) || !IsTail(at[2])) return 0;
    if (first == 0xe0 && at[1] < 0xa0) return 0;   // overlong
    if (first == 0xed && at[1] >= 0xa0) return 0;  // surrogates
    return 3;
  }
  if (first > 0xf4 || left < 4 || !IsTail(at[1]) || !IsTail(at[2]) || !IsTail(at[3])) return 0;
  if (first == 0xf0 && at[1] < 0x90) return 0;   // overlong
  if (first == 0xf4 && at[1] >= 0x90) return 0;  // above U+10FFFF
  return 4;
}

}  // namespace

bool IsWideUtf8(std::string_view text) {
  const auto* at = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* end = at + text.size();
  while (at != end) {
    for (; end - at >= 8 && IsAsciiEight(at); at += 8) {
    }
    while (at != end && *at < 0x80) ++at;
    while (at != end && *at >= 0x80) {
      const size_t length = SequenceLength(at, static_cast<size_t>(end - at));
      if (length == 0) return false;
      at += length;
    }
  }
  return true;
}

}  // namespace hakobu
