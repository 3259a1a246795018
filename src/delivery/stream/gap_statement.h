// Gaps as statements that a customer can be sent. Pure: texts out of what the ledger holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "delivery/stream/gap.h"

namespace hakobu {

enum class Language : uint8_t { kEnglish, kJapanese };

struct StatementOptions {
  Language language = Language::kEnglish;
  absl::TimeZone zone = absl::UTCTimeZone();  // times are shown in it, with its name
  std::string zone_name = "UTC";
};

// What was interrupted, from when to when and why; which tables are certainly whole and which may not be;
// what has been done, and what the reader should do. Ends with a line end.
std::string GapStatement(const Gap& gap, const StatementOptions& options);

// All gaps as one JSON object {"gaps": […]}, codes and RFC 3339 times, with both languages' statements.
std::string GapsJson(const std::vector<Gap>& gaps, const StatementOptions& options);

}  // namespace hakobu
