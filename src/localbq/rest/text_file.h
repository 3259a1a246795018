// A load's text, unpacked when it is gzip.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace hakobu::localbq::rest {

absl::StatusOr<std::string> ReadTextFile(const std::string& path);

}  // namespace hakobu::localbq::rest
