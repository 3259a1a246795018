// Bytes as text: hexadecimal, base64, UUIDs, and what is left of bytes that are not text.
#pragma once

#include <string>
#include <string_view>

namespace hakobu {

// Lower case. Writes 2 * bytes.size() bytes; returns the end.
char* WriteHex(std::string_view bytes, char* out);
// RFC 4648 with padding. Writes (bytes.size() + 2) / 3 * 4 bytes; returns the end.
char* WriteBase64(std::string_view bytes, char* out);
// 16 bytes as 8-4-4-4-12, in the order they lie: what UUID_TO_BIN(x) without a swap stored.
char* WriteUuid(std::string_view bytes, char* out);

// `text` with every byte that is not part of valid UTF-8 as \xHH.
std::string EscapeInvalidUtf8(std::string_view text);

// The first `characters` characters, whole ones. `text` is UTF-8.
std::string_view FirstCharacters(std::string_view text, size_t characters);
// At most `bytes` bytes of UTF-8, never a part of a character.
std::string_view CutUtf8(std::string_view text, size_t bytes);

}  // namespace hakobu
