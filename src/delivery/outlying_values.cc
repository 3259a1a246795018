#include "delivery/outlying_values.h"

#include "absl/numeric/int128.h"
#include "absl/strings/numbers.h"

namespace hakobu {
namespace {

constexpr int kTimesTheSpan = 1000;

absl::int128 ValueOf(const std::string& text) {
  absl::int128 value = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') value = value * 10 + (c - '0');
  }
  return text.starts_with('-') ? -value : value;
}

}  // namespace

size_t CountOutlying(const std::vector<std::string>& values) {
  if (values.empty()) return 0;
  const absl::int128 least = ValueOf(values.back());
  for (size_t above = values.size() / 2; above > 0; --above) {
    const absl::int128 next = ValueOf(values[above]);
    if (ValueOf(values[above - 1]) - next > (next - least + 1) * kTimesTheSpan) return above;
  }
  return 0;
}

}  // namespace hakobu
