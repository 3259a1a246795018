// Whether bytes are what a STRING or JSON column may hold.
#pragma once

#include <string_view>

namespace hakobu::localbq {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF.
bool IsUtf8(std::string_view bytes);
// One JSON value (RFC 8259) with nothing after it, at most 500 levels deep. Does not check UTF-8.
bool IsJson(std::string_view text);
// The first whole number in JSON text that fits neither INT64 nor UINT64; empty: there is none.
std::string_view FindWideNumber(std::string_view json);

}  // namespace hakobu::localbq
