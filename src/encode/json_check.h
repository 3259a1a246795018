// Whether a text is JSON (RFC 8259), for sources that do not check it themselves: MariaDB's JSON is a text
// whose check can be switched off; and whether BigQuery can hold its numbers.
#pragma once

#include <string_view>

namespace hakobu {

// One value, strictly: no comments, no trailing comma, nested at most 500 deep (BigQuery's
// bound). Does not judge numbers by size. `text` is UTF-8.
bool IsJson(std::string_view text);

// Whether a text that is JSON has a number which is neither a 64-bit integer (-2^63 to 2^64-1) nor the value
// of a FLOAT64 as its shortest form writes it: BigQuery's JSON has no others, and refuses or rounds them
// [GoogleSQL: data types, JSON; PARSE_JSON's wide_number_mode].
bool HasWideNumber(std::string_view json);

}  // namespace hakobu
