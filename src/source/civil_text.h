// The server's text of dates and times as one number and back, to find values between two others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "row/source_table.h"

namespace hakobu {

// Days for DATE, else microseconds; from year 0 on. Zero and partial dates count as the day they precede.
// nullopt when `text` is no such value.
std::optional<int64_t> CivilNumber(SourceType type, std::string_view text);
// fraction: digits of the second.
std::string CivilText(SourceType type, int64_t number, uint32_t fraction);

}  // namespace hakobu
