#include "decode/utf8.h"

#include <cstdint>
#include <cstring>

namespace hakobu {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080ull;

inline bool IsAscii(const uint8_t* eight) {
  uint64_t word;
  std::memcpy(&word, eight, sizeof(word));
  return (word & kHighBits) == 0;
}

// Fewer than eight bytes.
inline bool IsShortAscii(const uint8_t* at, const uint8_t* end) {
  if (end - at >= 4) {
    uint32_t first, last;
    std::memcpy(&first, at, sizeof(first));
    std::memcpy(&last, end - 4, sizeof(last));
    return ((first | last) & static_cast<uint32_t>(kHighBits)) == 0;
  }
  uint8_t all = 0;
  for (; at != end; ++at) all |= *at;
  return all < 0x80;
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

bool IsUtf8(std::string_view text) {
  const auto* at = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* end = at + text.size();
  for (;;) {
    for (; end - at >= 8 && IsAscii(at); at += 8) {
    }
    // The rest of a text, or all of a short one: the last eight bytes again, of which the first are known.
    if (end - at < 8 && (text.size() >= 8 ? IsAscii(end - 8) : IsShortAscii(at, end))) return true;
    while (at != end && *at < 0x80) ++at;
    while (at != end && *at >= 0x80) {
      const size_t length = SequenceLength(at, static_cast<size_t>(end - at));
      if (length == 0) return false;
      at += length;
    }
    if (at == end) return true;
  }
}

}  // namespace hakobu
