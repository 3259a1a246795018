// What a message to people may say of an error.
#pragma once

#include <string>
#include <string_view>

namespace hakobu {

// The text without what it quotes: keys and values of customers stand between single quotes. In each line all
// from the first quote to the last is left out, as a value may hold quotes itself.
std::string WithoutQuoted(std::string_view text);

}  // namespace hakobu
