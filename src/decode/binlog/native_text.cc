#include "decode/binlog/native_text.h"

#include <array>
#include <cstring>

namespace hakobu::binlog {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr size_t kUuidTextBytes = 36, kInet4TextBytes = 15, kInet6TextBytes = 46;

// A value of kBytes bytes, of which the log drops the zeros at the end, as it does for every BINARY.
template <size_t kBytes>
bool TakePadded(ByteReader* reader, std::array<uint8_t, kBytes>* bytes) {
  const std::string_view stored = reader->Take(reader->U8());
  if (stored.size() > kBytes) return false;
  bytes->fill(0);
  if (!stored.empty()) std::memcpy(bytes->data(), stored.data(), stored.size());
  return true;
}

// Versions 1 to 5 are stored with their node first and their time last, so that they sort by time; 6 and
// later as they are written. The place of the variant's high bit tells one from the other.
bool IsSwapped(const std::array<uint8_t, 16>& stored, bool always) {
  return always || ((stored[6] & 0x80) != 0 && stored[8] > 0 && stored[8] <= 0x80);
}

template <bool kAlwaysSwapped>
bool Uuid(const LogCellColumn&, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  constexpr std::array<uint8_t, 16> kAsStored = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  constexpr std::array<uint8_t, 16> kSwapped = {12, 13, 14, 15, 10, 11, 8, 9, 6, 7, 0, 1, 2, 3, 4, 5};
  std::array<uint8_t, 16> stored;
  if (!TakePadded(reader, &stored)) return false;
  const std::array<uint8_t, 16>& order = IsSwapped(stored, kAlwaysSwapped) ? kSwapped : kAsStored;
  char* const text = arena->Allocate(kUuidTextBytes);
  char* at = text;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    const uint8_t byte = stored[order[i]];
    *at++ = kHexDigits[byte >> 4];
    *at++ = kHexDigits[byte & 15];
  }
  *cell = Cell::Text(CellKind::kString, {text, kUuidTextBytes});
  return true;
}

char* WriteInet4(const uint8_t* bytes, char* at) {
  for (int i = 0; i < 4; ++i) {
    if (i > 0) *at++ = '.';
    if (bytes[i] >= 100) *at++ = kHexDigits[bytes[i] / 100];
    if (bytes[i] >= 10) *at++ = kHexDigits[bytes[i] / 10 % 10];
    *at++ = kHexDigits[bytes[i] % 10];
  }
  return at;
}

bool Inet4(const LogCellColumn&, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  std::array<uint8_t, 4> stored;
  if (!TakePadded(reader, &stored)) return false;
  char* const text = arena->Allocate(kInet4TextBytes);
  const auto size = static_cast<size_t>(WriteInet4(stored.data(), text) - text);
  arena->ShrinkLast(kInet4TextBytes, size);
  *cell = Cell::Text(CellKind::kString, {text, size});
  return true;
}

struct Run {
  size_t begin = 8, length = 0;
};

// The first of the longest runs of zero words: also one of a single word becomes "::".
Run LongestZeros(const std::array<uint16_t, 8>& words) {
  Run longest, open;
  for (size_t i = 0; i < words.size(); ++i) {
    open = words[i] != 0 ? Run{} : open.length == 0 ? Run{i, 1} : Run{open.begin, open.length + 1};
    if (open.length > longest.length) longest = open;
  }
  return longest;
}

char* WriteWord(uint16_t word, char* at) {
  for (int shift = 12; shift >= 0; shift -= 4) {
    if (word >> shift != 0 || shift == 0) *at++ = kHexDigits[word >> shift & 15];
  }
  return at;
}

// The lower-case form with the last 32 bits in dots where the address is one of IPv4 ("::1.2.3.4",
// "::ffff:1.2.3.4").
bool Inet6(const LogCellColumn&, ByteReader* reader, Arena* arena, std::string*, Cell* cell) {
  std::array<uint8_t, 16> stored;
  if (!TakePadded(reader, &stored)) return false;
  std::array<uint16_t, 8> words;
  for (size_t i = 0; i < words.size(); ++i) {
    words[i] = static_cast<uint16_t>(stored[2 * i] << 8 | stored[2 * i + 1]);
  }
  const Run gap = LongestZeros(words);
  const bool of_inet4 = gap.begin == 0 && (gap.length == 6 || (gap.length == 5 && words[5] == 0xffff));
  char* const text = arena->Allocate(kInet6TextBytes);
  char* at = text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i == gap.begin) {
      if (i == 0) *at++ = ':';
      *at++ = ':';
      i += gap.length - 1;
    } else if (i == 6 && of_inet4) {
      at = WriteInet4(&stored[12], at);
      break;
    } else {
      at = WriteWord(words[i], at);
      if (i + 1 < words.size()) *at++ = ':';
    }
  }
  const auto size = static_cast<size_t>(at - text);
  arena->ShrinkLast(kInet6TextBytes, size);
  *cell = Cell::Text(CellKind::kString, {text, size});
  return true;
}

}  // namespace

LogCellDecoder FindNativeDecoder(std::string_view declared) {
  // Tables of servers before 10.11.5, not rebuilt since, have all their UUIDs swapped; SHOW CREATE calls the
  // type so.
  if (declared.starts_with("uuid /* old */")) return Uuid<true>;
  if (declared.starts_with("uuid")) return Uuid<false>;
  if (declared.starts_with("inet4")) return Inet4;
  if (declared.starts_with("inet6")) return Inet6;
  return nullptr;
}

uint16_t NativeBytes(std::string_view declared) {
  if (FindNativeDecoder(declared) == nullptr) return 0;
  return declared.starts_with("inet4") ? 4 : 16;
}

}  // namespace hakobu::binlog
