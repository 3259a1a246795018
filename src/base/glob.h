// Globs over names: `*` is any number of characters, `?` is one character of UTF-8, all else itself.
#pragma once

#include <string_view>

namespace hakobu {

bool IsGlob(std::string_view pattern);
bool GlobMatches(std::string_view pattern, std::string_view name);

}  // namespace hakobu
