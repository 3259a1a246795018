// Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629).
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace hakobu {

// Looked at eight bytes at a time, the last eight of a longer text twice.
inline bool IsAscii(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080ull;
  const char* at = text.data();
  const char* end = at + text.size();
  if (text.size() >= 8) {
    uint64_t word, all = 0;
    for (; end - at >= 8; at += 8) {
      std::memcpy(&word, at, sizeof(word));
      all |= word;
    }
    std::memcpy(&word, end - 8, sizeof(word));
    return ((all | word) & kHighBits) == 0;
  }
  if (text.size() >= 4) {
    uint32_t first, last;
    std::memcpy(&first, at, sizeof(first));
    std::memcpy(&last, end - 4, sizeof(last));
    return ((first | last) & static_cast<uint32_t>(kHighBits)) == 0;
  }
  uint8_t all = 0;
  for (; at != end; ++at) all |= static_cast<uint8_t>(*at);
  return all < 0x80;
}

// For texts that are not ASCII.
bool IsWideUtf8(std::string_view text);

inline bool IsUtf8(std::string_view text) {
  return IsAscii(text) || IsWideUtf8(text);
}

}  // namespace hakobu
