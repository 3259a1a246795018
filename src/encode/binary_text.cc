#include "encode/binary_text.h"

#include <array>
#include <cstdint>

namespace hakobu {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

uint8_t Byte(std::string_view bytes, size_t at) {
  return static_cast<uint8_t>(bytes[at]);
}
bool Continues(uint8_t byte) {
  return (byte & 0xc0) == 0x80;
}

// Length of the valid UTF-8 character at the start of `text`, 0 when there is none (RFC 3629: no overlong
// forms, no surrogates, nothing above U+10FFFF).
size_t CharacterLength(std::string_view text) {
  const uint8_t first = Byte(text, 0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < size) return 0;
  const uint8_t second = Byte(text, 1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  for (size_t i = 1; i < size; ++i) {
    if (!Continues(Byte(text, i))) return 0;
  }
  return size;
}

}  // namespace

char* WriteHex(std::string_view bytes, char* out) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    *out++ = kHexDigits[Byte(bytes, i) >> 4];
    *out++ = kHexDigits[Byte(bytes, i) & 15];
  }
  return out;
}

char* WriteBase64(std::string_view bytes, char* out) {
  for (; bytes.size() >= 3; bytes.remove_prefix(3)) {
    const uint32_t three = static_cast<uint32_t>(Byte(bytes, 0)) << 16 |
                           static_cast<uint32_t>(Byte(bytes, 1)) << 8 | Byte(bytes, 2);
    for (int shift = 18; shift >= 0; shift -= 6) *out++ = kBase64Digits[three >> shift & 63];
  }
  if (bytes.empty()) return out;
  const uint32_t two = static_cast<uint32_t>(Byte(bytes, 0)) << 8 | (bytes.size() > 1 ? Byte(bytes, 1) : 0u);
  *out++ = kBase64Digits[two >> 10 & 63];
  *out++ = kBase64Digits[two >> 4 & 63];
  *out++ = bytes.size() > 1 ? kBase64Digits[two << 2 & 63] : '=';
  *out++ = '=';
  return out;
}

char* WriteUuid(std::string_view bytes, char* out) {
  for (const size_t part : {4, 2, 2, 2, 6}) {
    if (part != 4) *out++ = '-';
    out = WriteHex(bytes.substr(0, part), out);
    bytes.remove_prefix(part);
  }
  return out;
}

std::string EscapeInvalidUtf8(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const size_t size = CharacterLength(text);
    if (size == 0) {
      std::array<char, 2> hex;
      WriteHex(text.substr(0, 1), hex.data());
      escaped += "\\x";
      escaped.append(hex.data(), 2);
      text.remove_prefix(1);
      continue;
    }
    escaped += text.substr(0, size);
    text.remove_prefix(size);
  }
  return escaped;
}

std::string_view FirstCharacters(std::string_view text, size_t characters) {
  size_t at = 0;
  for (; characters > 0 && at < text.size(); --characters) {
    ++at;
    while (at < text.size() && Continues(Byte(text, at))) ++at;
  }
  return text.substr(0, at);
}

std::string_view CutUtf8(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && Continues(Byte(text, bytes))) --bytes;
  return text.substr(0, bytes);
}

}  // namespace hakobu
