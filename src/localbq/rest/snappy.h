// Snappy's block format, decompression only.
// Source: https://github.com/google/snappy/blob/main/format_description.txt
#pragma once

#include <string>
#include <string_view>

namespace hakobu::localbq::rest {

// False: damaged, or larger than `limit`.
bool UncompressSnappy(std::string_view from, size_t limit, std::string* to);

}  // namespace hakobu::localbq::rest
