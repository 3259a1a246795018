// Unchecked little-endian loads, for decoders that looked at the bounds already.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace hakobu {

template <typename Number>
inline Number Load(const char* at) {
  Number number;
  std::memcpy(&number, at, sizeof(number));
  return number;
}

// A length-encoded string at `at`; returns the place after it, or null when it does not end before `end`.
inline const char* LoadText(const char* at, const char* end, std::string_view* text) {
  if (at == end) [[unlikely]]
    return nullptr;
  uint64_t size = static_cast<uint8_t>(*at++);
  if (size >= 0xfb) [[unlikely]] {
    const size_t width = size == 0xfc ? 2 : size == 0xfd ? 3 : size == 0xfe ? 8 : 0;
    if (width == 0 || static_cast<size_t>(end - at) < width) return nullptr;
    size = 0;
    std::memcpy(&size, at, width);
    at += width;
  }
  if (size > static_cast<uint64_t>(end - at)) [[unlikely]]
    return nullptr;
  *text = {at, static_cast<size_t>(size)};
  return at + size;
}

}  // namespace hakobu
