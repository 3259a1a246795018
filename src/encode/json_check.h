// Whether a text is JSON (RFC 8259), for sources that do not check it themselves: MariaDB's JSON is a text
// whose check can be switched off.
#pragma once

#include <string_view>

namespace hakobu {

// One value, strictly: no comments, no trailing comma, nested at most 500 deep (BigQuery's
// bound). Does not judge numbers by size. `text` is UTF-8.
bool IsJson(std::string_view text);

}  // namespace hakobu
