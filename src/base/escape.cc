#include "base/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace hakobu {
namespace {

struct CodePoint {
  uint32_t value = 0;
  size_t length = 0;  // in bytes; 0: these bytes are no UTF-8
};

// The code point at the start of `text`, which is not empty [Unicode, table 3-7].
CodePoint FirstCodePoint(std::string_view text) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  uint32_t value = first & (0x7Fu >> length);
  for (size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xC0) != 0x80) return {};
    value = value << 6 | (byte(at) & 0x3Fu);
  }
  const uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, length};
}

bool IsControl(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0)           // C0, DEL, C1
         || code == 0x2028 || code == 0x2029                    // line and paragraph separator
         || code == 0x061C || code == 0x200E || code == 0x200F  // marks of direction
         || (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069)  // embeddings, isolates
         || code == 0xFEFF || (code >= 0xFFF9 && code <= 0xFFFB);                     // unseen marks
}

std::string Escaped(std::string_view text, bool keep_lines) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const CodePoint code = FirstCodePoint(text);
    const size_t length = std::max<size_t>(code.length, 1);
    if (code.length == 0) {
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (!IsControl(code.value) || (keep_lines && (code.value == '\n' || code.value == '\t'))) {
      escaped += text.substr(0, length);
    } else if (code.value == '\n' || code.value == '\r' || code.value == '\t') {
      escaped += code.value == '\n' ? "\\n" : code.value == '\r' ? "\\r" : "\\t";
    } else if (code.value < 0x100) {
      escaped += fmt::format("\\x{:02x}", code.value);
    } else {
      escaped += fmt::format("\\u{{{:04x}}}", code.value);
    }
    text.remove_prefix(length);
  }
  return escaped;
}

size_t LongestRunOfBackticks(std::string_view text) {
  size_t longest = 0, run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

}  // namespace

std::string EscapeControl(std::string_view text) {
  return Escaped(text, /*keep_lines=*/false);
}

std::string EscapeControlKeepLines(std::string_view text) {
  return Escaped(text, /*keep_lines=*/true);
}

bool HasControl(std::string_view text) {
  while (!text.empty()) {
    const CodePoint code = FirstCodePoint(text);
    if (code.length == 0 || IsControl(code.value)) return true;
    text.remove_prefix(code.length);
  }
  return false;
}

std::string ShellQuote(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+=,";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'')
      quoted += R"('\'')";
    else
      quoted += c;
  }
  return quoted + "'";
}

std::string MarkdownCode(std::string_view text) {
  const std::string shown = EscapeControl(text);
  const std::string ticks(LongestRunOfBackticks(shown) + 1, '`');
  const bool spaced = ticks.size() > 1 || (!shown.empty() && shown.front() == ' ' && shown.back() == ' ');
  return spaced ? ticks + " " + shown + " " + ticks : ticks + shown + ticks;
}

std::string MarkdownFence(std::string_view text) {
  return std::string(std::max<size_t>(LongestRunOfBackticks(text) + 1, 3), '`');
}

}  // namespace hakobu
