#include "config/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <numeric>
#include <vector>

namespace hakobu {
namespace {

struct DurationUnit {
  std::string_view name;
  int64_t milliseconds;
};
constexpr std::array<DurationUnit, 5> kDurationUnits = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};

struct SizeUnit {
  std::string_view name;
  uint64_t bytes;
};
constexpr std::array<SizeUnit, 9> kSizeUnits = {{{"TiB", 1ull << 40},
                                                 {"GiB", 1ull << 30},
                                                 {"MiB", 1ull << 20},
                                                 {"KiB", 1ull << 10},
                                                 {"TB", 1'000'000'000'000},
                                                 {"GB", 1'000'000'000},
                                                 {"MB", 1'000'000},
                                                 {"KB", 1000},
                                                 {"B", 1}}};

// Takes the digits at the front of `text` off it.
std::optional<uint64_t> TakeDigits(std::string_view* text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end == text->data()) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return value;
}

std::string_view TakeLetters(std::string_view* text) {
  const auto end = std::find_if(text->begin(), text->end(),
                                [](char c) { return std::isalpha(static_cast<unsigned char>(c)) == 0; });
  const std::string_view letters = text->substr(0, static_cast<size_t>(end - text->begin()));
  text->remove_prefix(letters.size());
  return letters;
}

// Letters that are missing, too many, wrong, or two that changed places: one each.
size_t EditDistance(std::string_view left, std::string_view right) {
  std::vector<size_t> before(right.size() + 1);
  std::vector<size_t> above(right.size() + 1);
  std::vector<size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= left.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (size_t j = 1; j <= right.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

}  // namespace

std::optional<absl::Duration> ParseDurationText(std::string_view text) {
  if (text.empty()) return std::nullopt;
  absl::Duration total;
  while (!text.empty()) {
    const std::optional<uint64_t> count = TakeDigits(&text);
    const std::string_view name = TakeLetters(&text);
    const auto* unit = std::find_if(kDurationUnits.begin(), kDurationUnits.end(),
                                    [&](const auto& u) { return u.name == name; });
    if (!count || *count > 1'000'000'000'000 || unit == kDurationUnits.end()) return std::nullopt;
    total += absl::Milliseconds(unit->milliseconds) * static_cast<int64_t>(*count);
  }
  return total;
}

std::string DurationText(absl::Duration duration) {
  int64_t rest = absl::ToInt64Milliseconds(duration);
  if (rest == 0) return "0s";
  std::string text;
  for (const DurationUnit& unit : kDurationUnits) {
    if (rest >= unit.milliseconds) text += fmt::format("{}{}", rest / unit.milliseconds, unit.name);
    rest %= unit.milliseconds;
  }
  return text;
}

std::optional<uint64_t> ParseSizeText(std::string_view text) {
  const std::optional<uint64_t> count = TakeDigits(&text);
  const auto* unit =
      std::find_if(kSizeUnits.begin(), kSizeUnits.end(), [&](const auto& u) { return u.name == text; });
  uint64_t bytes = 0;
  if (!count || unit == kSizeUnits.end() || __builtin_mul_overflow(*count, unit->bytes, &bytes))
    return std::nullopt;
  return bytes;
}

std::string SizeText(uint64_t bytes) {
  // Of all units that divide it the largest: 64000000 is 64MB, not 62500KiB.
  const SizeUnit* best = &kSizeUnits.back();
  for (const SizeUnit& unit : kSizeUnits) {
    if (bytes >= unit.bytes && bytes % unit.bytes == 0 && unit.bytes > best->bytes) best = &unit;
  }
  return fmt::format("{}{}", bytes / best->bytes, best->name);
}

std::optional<int64_t> ParseIntegerText(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '_');
  int64_t value = 0;
  const char* begin = digits.data() + (digits.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseNumberText(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<bool> ParseBooleanText(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::string_view NearestName(std::string_view text, std::span<const std::string> candidates) {
  std::string_view nearest;
  size_t least = std::max<size_t>(text.size() / 3, 1) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(text, candidate);
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

std::string DidYouMean(std::string_view text, std::span<const std::string> candidates) {
  const std::string_view near = NearestName(text, candidates);
  return near.empty() ? "" : fmt::format("did you mean `{}`?", near);
}

}  // namespace hakobu
