// Scalar values of the configuration as text: numbers with units, both ways, and near misses of names.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace hakobu {

// "500ms", "30s", "1h30m", "2d": digits and unit (ms, s, m, h, d), one or more times. nullopt for anything
// else, a bare number included.
std::optional<absl::Duration> ParseDurationText(std::string_view text);
// The shortest text that ParseDurationText reads back as the same duration.
std::string DurationText(absl::Duration duration);

// "512B", "64MB" (10^6), "64MiB" (2^20): digits and one unit of B, KB, MB, GB, TB, KiB, MiB, GiB, TiB.
// nullopt for anything else, a bare number and what overflows included.
std::optional<uint64_t> ParseSizeText(std::string_view text);
std::string SizeText(uint64_t bytes);

// Decimal digits with an optional sign; '_' may group them. nullopt when it is not one or does not fit.
std::optional<int64_t> ParseIntegerText(std::string_view text);
// A decimal number, finite.
std::optional<double> ParseNumberText(std::string_view text);
std::optional<bool> ParseBooleanText(std::string_view text);

// The candidate that `text` most likely meant: at most a third of its letters away. Empty when none is near.
std::string_view NearestName(std::string_view text, std::span<const std::string> candidates);
// "did you mean `members`?", a hint; empty when nothing is near.
std::string DidYouMean(std::string_view text, std::span<const std::string> candidates);

}  // namespace hakobu
