#include "base/glob.h"

namespace hakobu {

bool IsGlob(std::string_view pattern) {
  return pattern.find_first_of("*?") != std::string_view::npos;
}

namespace {

// The bytes of the UTF-8 character at the front of `text`, which is not empty.
size_t CharacterSize(std::string_view text) {
  size_t size = 1;
  while (size < text.size() && size < 4 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) ++size;
  return size;
}

}  // namespace

// Linear in practice: only the last `*` is ever taken back.
bool GlobMatches(std::string_view pattern, std::string_view name) {
  size_t at = 0;
  size_t in = 0;
  size_t star = std::string_view::npos;
  size_t star_at = 0;
  while (at < name.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      star_at = at;
    } else if (in < pattern.size() && pattern[in] == '?') {
      ++in;
      at += CharacterSize(name.substr(at));
    } else if (in < pattern.size() && pattern[in] == name[at]) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

}  // namespace hakobu
