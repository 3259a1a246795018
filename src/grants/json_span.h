// Where the parts of a JSON text lie, so that they can be carried on byte for byte. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace hakobu {

// Names (as written, without quotes) and values of an object; views into `text`. InvalidArgument when it is
// none. What is inside of a value is only checked for balance: parse it to know it is JSON.
absl::StatusOr<std::vector<std::pair<std::string_view, std::string_view>>> JsonMembers(std::string_view text);
absl::StatusOr<std::vector<std::string_view>> JsonElements(std::string_view text);

}  // namespace hakobu
