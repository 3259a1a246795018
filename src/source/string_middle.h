// A string between two others, to halve a range of string keys without reading it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "row/source_table.h"

namespace hakobu {

// Hex in, hex out, of the column's own bytes. Orders characters as nearly all collations do (punctuation,
// digits, letters without case, the rest by code point), or by their codes for binary ones; where a collation
// thinks otherwise, the result lies elsewhere and the caller's probe tells. nullopt: nothing lies between, or
// the character set is neither UTF-8 nor one byte a character.
std::optional<std::string> StringMiddle(const SourceColumn& column, std::string_view low_hex,
                                        std::string_view high_hex);

}  // namespace hakobu
