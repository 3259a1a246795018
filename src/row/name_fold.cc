#include "row/name_fold.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf8.h>

namespace hakobu {
namespace {

// Letters with accents are those without; other scripts' marks tell names apart.
UChar32 WithoutAccent(UChar32 character) {
  const bool accented =
      (character >= 0xC0 && character < 0x250) || (character >= 0x1E00 && character < 0x2000);
  if (!accented) return character;
  UErrorCode error = U_ZERO_ERROR;
  const UNormalizer2* nfd = unorm2_getNFDInstance(&error);
  if (U_FAILURE(error)) return character;
  UChar decomposed[8];
  const int32_t size = unorm2_getDecomposition(nfd, character, decomposed, 8, &error);
  return U_FAILURE(error) || size < 1 ? character : decomposed[0];
}

// Each character by `change`.
template <class Change>
std::string Mapped(std::string_view name, Change change) {
  std::string folded;
  const auto size = static_cast<int32_t>(name.size());
  for (int32_t at = 0; at < size;) {
    UChar32 character;
    const int32_t begin = at;
    U8_NEXT(name.data(), at, size, character);
    if (character < 0) {  // not UTF-8: only itself
      folded.append(name.substr(static_cast<size_t>(begin), static_cast<size_t>(at - begin)));
      continue;
    }
    character = change(character);
    char bytes[4];
    int32_t length = 0;
    U8_APPEND_UNSAFE(bytes, length, character);
    folded.append(bytes, static_cast<size_t>(length));
  }
  return folded;
}

}  // namespace

std::string LowerName(std::string_view name) {
  return Mapped(name, [](UChar32 character) { return u_tolower(character); });
}

std::string FoldName(std::string_view name) {
  return Mapped(name, [](UChar32 character) { return u_tolower(WithoutAccent(character)); });
}

bool SameName(std::string_view a, std::string_view b) {
  return a == b || FoldName(a) == FoldName(b);
}

bool IsServersDatabase(std::string_view name) {
  return name == "mysql" || name == "sys" || name == "information_schema" || name == "performance_schema";
}

}  // namespace hakobu
