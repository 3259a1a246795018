// What a server says against sending its log, as typed errors.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "source/log_stream.h"

namespace hakobu {

// `number` and `text` of an error packet that answers a dump command. Numbers that any connection may give
// are ServerError's.
absl::Status LogServerError(uint32_t number, std::string_view text);

absl::Status WithLogFailure(absl::Status status, LogFailure failure);

}  // namespace hakobu
