#include "source/string_middle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <vector>

namespace hakobu {
namespace {

// A character's place in the order, from 1 on; 0 is the end of the string, which comes before all.
using Ranks = std::vector<uint32_t>;

constexpr std::string_view kSingleByteCharsets[] = {
    "latin1", "latin2", "latin5", "latin7", "ascii", "cp1250", "cp1251", "cp1256", "cp1257", "cp850",
    "cp852",  "cp866",  "koi8r",  "koi8u",  "greek", "hebrew", "hp8",    "tis620", "dec8",   "swe7",
};

// ASCII with its letters last and in lower case only: the order of collations that ignore case.
struct FoldedAscii {
  std::array<uint8_t, 128> rank{};
  std::array<uint8_t, 128> character{};
  uint8_t letters_end = 0;
  constexpr FoldedAscii() {
    uint8_t next = 0;
    const auto is_digit = [](int c) { return c >= '0' && c <= '9'; };
    const auto is_lower = [](int c) { return c >= 'a' && c <= 'z'; };
    const auto is_upper = [](int c) { return c >= 'A' && c <= 'Z'; };
    for (int c = 0; c < 128; ++c) {
      if (!is_digit(c) && !is_lower(c) && !is_upper(c)) Give(c, next++);
    }
    for (int c = '0'; c <= '9'; ++c) Give(c, next++);
    for (int c = 'a'; c <= 'z'; ++c) {
      rank[static_cast<size_t>(c - 'a' + 'A')] = next;
      Give(c, next++);
    }
    letters_end = next;
    for (size_t unused = next; unused < 128; ++unused) character[unused] = 'z';
  }
  constexpr void Give(int c, uint8_t to) {
    rank[static_cast<size_t>(c)] = to;
    character[to] = static_cast<uint8_t>(c);
  }
};
constexpr FoldedAscii kFolded;

struct Alphabet {
  bool utf8 = false;
  bool folded = false;
  uint32_t top = 0x100;  // one past the highest rank - 1
};

std::optional<Alphabet> AlphabetOf(const SourceColumn& column) {
  if (column.type == SourceType::kBinary || column.type == SourceType::kVarbinary) return Alphabet{};
  Alphabet alphabet;
  alphabet.folded = !column.collation.ends_with("_bin");
  if (column.charset == "utf8mb4" || column.charset == "utf8mb3" || column.charset == "utf8") {
    alphabet.utf8 = true;
    alphabet.top = column.charset == "utf8mb4" ? 0x110000 : 0x10000;
    return alphabet;
  }
  const bool single = std::find(std::begin(kSingleByteCharsets), std::end(kSingleByteCharsets),
                                column.charset) != std::end(kSingleByteCharsets);
  return single ? std::optional(alphabet) : std::nullopt;
}

std::string Unhex(std::string_view hex) {
  std::string bytes;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return bytes;
}

// The next code point of valid UTF-8; what is not valid reads as single bytes, harmlessly.
uint32_t TakeCodePoint(std::string_view* text) {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>((*text)[i]); };
  const uint8_t first = byte(0);
  const size_t length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length > text->size() || length == 1) {
    text->remove_prefix(1);
    return first;
  }
  uint32_t point = first & (0x7fu >> length);
  for (size_t i = 1; i < length; ++i) point = point << 6 | (byte(i) & 0x3fu);
  text->remove_prefix(length);
  return point;
}

void AppendCodePoint(uint32_t point, std::string* text) {
  if (point >= 0xd800 && point <= 0xdfff) point = 0xd7ff;  // surrogates are no characters
  if (point < 0x80) {
    *text += static_cast<char>(point);
  } else if (point < 0x800) {
    *text += static_cast<char>(0xc0 | point >> 6);
    *text += static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    *text += static_cast<char>(0xe0 | point >> 12);
    *text += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    *text += static_cast<char>(0x80 | (point & 0x3f));
  } else {
    *text += static_cast<char>(0xf0 | point >> 18);
    *text += static_cast<char>(0x80 | (point >> 12 & 0x3f));
    *text += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    *text += static_cast<char>(0x80 | (point & 0x3f));
  }
}

Ranks ToRanks(const Alphabet& alphabet, std::string_view hex) {
  const std::string bytes = Unhex(hex);
  Ranks ranks;
  for (std::string_view rest = bytes; !rest.empty();) {
    uint32_t character = static_cast<uint8_t>(rest.front());
    if (alphabet.utf8) {
      character = TakeCodePoint(&rest);
    } else {
      rest.remove_prefix(1);
    }
    ranks.push_back(1 + (alphabet.folded && character < 128 ? kFolded.rank[character] : character));
  }
  return ranks;
}

std::string ToHex(const Alphabet& alphabet, const Ranks& ranks) {
  std::string bytes;
  for (const uint32_t rank : ranks) {
    uint32_t character = rank - 1;
    if (alphabet.folded && character < 128) character = kFolded.character[character];
    if (alphabet.utf8) {
      AppendCodePoint(character, &bytes);
    } else {
      bytes += static_cast<char>(character);
    }
  }
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02X}", static_cast<uint8_t>(byte));
  return hex;
}

}  // namespace

std::optional<std::string> StringMiddle(const SourceColumn& column, std::string_view low_hex,
                                        std::string_view high_hex) {
  const auto alphabet = AlphabetOf(column);
  if (!alphabet) return std::nullopt;
  const Ranks low = ToRanks(*alphabet, low_hex);
  const Ranks high = ToRanks(*alphabet, high_hex);
  const auto at = [](const Ranks& ranks, size_t i) { return i < ranks.size() ? ranks[i] : 0; };
  size_t i = 0;
  while (i < low.size() && at(low, i) == at(high, i)) ++i;
  if (at(low, i) >= at(high, i)) return std::nullopt;
  Ranks middle(low.begin(), low.begin() + static_cast<std::ptrdiff_t>(i));
  uint32_t below = at(low, i);
  uint32_t above = at(high, i);
  // Adjacent characters: the middle begins as `low` does and differs further right.
  while (above - below < 2) {
    if (i >= low.size()) return std::nullopt;
    middle.push_back(low[i++]);
    below = at(low, i);
    constexpr uint32_t letters_end = 1 + kFolded.letters_end;
    above =
        alphabet->folded && below < letters_end - 1 ? letters_end : std::max(alphabet->top + 1, below + 1);
  }
  middle.push_back(below + (above - below) / 2);
  return ToHex(*alphabet, middle);
}

}  // namespace hakobu
