// Data behind charset.h: tables of MySQL's character sets.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace hakobu::charset {

// Code points of the bytes 0x80 to 0xff; 0: no character.
using SingleByteTable = std::array<uint16_t, 128>;
// Null when the character set is not a single-byte one above ASCII.
const SingleByteTable* FindSingleByteTable(std::string_view charset);

// The codes first..last (big-endian bytes) stand for first_code_point and up.
struct Override {
  uint32_t first, last, first_code_point;
};
struct MultiByteCharset {
  std::string_view name;  // MySQL's
  const char* icu_converter;
  std::span<const Override> overrides;
};
std::span<const MultiByteCharset> MultiByteCharsets();

}  // namespace hakobu::charset
