#include "localbq/sql/interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

namespace hakobu::localbq::sql {
namespace {

constexpr int64_t kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute;

bool TakeSign(std::string_view& text) {
  if (text.empty() || (text[0] != '-' && text[0] != '+')) return false;
  bool negative = text[0] == '-';
  text.remove_prefix(1);
  return negative;
}

std::optional<int64_t> Whole(std::string_view text) {
  if (text.empty() || text.size() > 12) return std::nullopt;
  int64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<int64_t> YearMonth(std::string_view text) {
  bool negative = TakeSign(text);
  size_t dash = text.find('-');
  if (dash == text.npos) return std::nullopt;
  std::optional<int64_t> years = Whole(text.substr(0, dash)), months = Whole(text.substr(dash + 1));
  if (!years || !months) return std::nullopt;
  return (negative ? -1 : 1) * (*years * 12 + *months);
}

// "4:5:6.789" where the first field counts `unit` microseconds.
std::optional<int64_t> Clock(std::string_view text, int64_t unit) {
  bool negative = TakeSign(text);
  int64_t micros = 0;
  for (bool last = false; !last; unit /= 60) {
    if (unit < kSecond) return std::nullopt;
    size_t colon = text.find(':');
    last = colon == text.npos;
    std::string_view part = text.substr(0, colon);
    size_t point = part.find('.');
    if (point != part.npos) {
      std::string fraction(part.substr(point + 1));
      if (unit != kSecond || !last || fraction.empty() || fraction.size() > 9) return std::nullopt;
      fraction.resize(6, '0');
      std::optional<int64_t> value = Whole(fraction);
      if (!value) return std::nullopt;
      micros += *value;
      part = part.substr(0, point);
    }
    std::optional<int64_t> value = Whole(part);
    if (!value) return std::nullopt;
    micros += *value * unit;
    if (!last) text.remove_prefix(colon + 1);
  }
  return negative ? -micros : micros;
}

std::optional<int64_t> Days(std::string_view text) {
  bool negative = TakeSign(text);
  std::optional<int64_t> days = Whole(text);
  if (!days) return std::nullopt;
  return negative ? -*days : *days;
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    size_t space = text.find(' ');
    if (space != 0) words.push_back(text.substr(0, space));
    text.remove_prefix(space == text.npos ? text.size() : space + 1);
  }
  return words;
}

}  // namespace

std::optional<IntervalParts> ParseInterval(std::string_view text) {
  std::vector<std::string_view> words = Words(text);
  if (words.size() != 3) return std::nullopt;
  std::optional<int64_t> months = YearMonth(words[0]), days = Days(words[1]), micros = Clock(words[2], kHour);
  if (!months || !days || !micros) return std::nullopt;
  return IntervalParts{*months, *days, *micros};
}

std::optional<IntervalParts> ParseIntervalRange(std::string_view text, std::string_view from,
                                                std::string_view to) {
  static constexpr std::array<std::string_view, 6> kParts = {"YEAR", "MONTH",  "DAY",
                                                             "HOUR", "MINUTE", "SECOND"};
  auto first = static_cast<size_t>(std::find(kParts.begin(), kParts.end(), from) - kParts.begin());
  auto last = static_cast<size_t>(std::find(kParts.begin(), kParts.end(), to) - kParts.begin());
  if (first >= last || last >= kParts.size()) return std::nullopt;
  std::vector<std::string_view> words = Words(text);
  IntervalParts parts;
  size_t next = 0;
  auto take = [&](auto parse, int64_t& into) {
    std::optional<int64_t> value = next < words.size() ? parse(words[next++]) : std::nullopt;
    if (value) into = *value;
    return value.has_value();
  };
  if (first == 0 && !take(YearMonth, parts.months)) return std::nullopt;
  if (first == 1) {
    if (!take(Days, parts.months)) return std::nullopt;
  }
  if (first <= 2 && last >= 2 && !take(Days, parts.days)) return std::nullopt;
  if (last >= 3) {
    int64_t unit = first <= 3 ? kHour : kMinute;
    if (!take([&](std::string_view word) { return Clock(word, unit); }, parts.micros)) return std::nullopt;
  }
  if (next != words.size()) return std::nullopt;
  return parts;
}

std::optional<IntervalParts> IntervalOf(int64_t count, std::string_view part) {
  if (part == "YEAR") return IntervalParts{count * 12, 0, 0};
  if (part == "QUARTER") return IntervalParts{count * 3, 0, 0};
  if (part == "MONTH") return IntervalParts{count, 0, 0};
  if (part == "WEEK") return IntervalParts{0, count * 7, 0};
  if (part == "DAY") return IntervalParts{0, count, 0};
  if (part == "HOUR") return IntervalParts{0, 0, count * kHour};
  if (part == "MINUTE") return IntervalParts{0, 0, count * kMinute};
  if (part == "SECOND") return IntervalParts{0, 0, count * kSecond};
  if (part == "MILLISECOND") return IntervalParts{0, 0, count * 1000};
  if (part == "MICROSECOND") return IntervalParts{0, 0, count};
  return std::nullopt;
}

std::string IntervalText(const IntervalParts& parts) {
  auto sign = [](int64_t value) { return value < 0 ? "-" : ""; };
  int64_t months = std::abs(parts.months), micros = std::abs(parts.micros);
  std::string text =
      fmt::format("{}{}-{} {} {}{}:{}:{}", sign(parts.months), months / 12, months % 12, parts.days,
                  sign(parts.micros), micros / kHour, micros / kMinute % 60, micros / kSecond % 60);
  int64_t fraction = micros % kSecond;
  if (fraction == 0) return text;
  return text +
         (fraction % 1000 == 0 ? fmt::format(".{:03}", fraction / 1000) : fmt::format(".{:06}", fraction));
}

std::string IntervalSql(const IntervalParts& parts) {
  return fmt::format("(to_months(({})::INTEGER) + to_days(({})::INTEGER) + to_microseconds(({})::BIGINT))",
                     parts.months, parts.days, parts.micros);
}

}  // namespace hakobu::localbq::sql
