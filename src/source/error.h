// Error numbers of the server and of the client library as typed errors with a hint.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace hakobu {

// `<text> (<number>)[; hint: …]`. Unavailable is what a new connection and a new try may mend.
absl::Status ServerError(uint32_t number, std::string_view text);

}  // namespace hakobu
