#include "base/status.h"

#include <fmt/format.h>

namespace hakobu {
namespace {

constexpr std::string_view kHintMark = "; hint: ";

absl::Status WithMessage(const absl::Status& status, const std::string& message) {
  absl::Status changed(status.code(), message);
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { changed.SetPayload(url, payload); });
  return changed;
}

}  // namespace

absl::Status Annotate(const absl::Status& status, std::string_view phrase) {
  if (status.ok()) return status;
  return WithMessage(status, fmt::format("{}: {}", phrase, View(status.message())));
}

absl::Status WithHint(const absl::Status& status, std::string_view hint) {
  if (status.ok() || hint.empty() || View(status.message()).find(kHintMark) != std::string_view::npos)
    return status;
  return WithMessage(status, fmt::format("{}{}{}", View(status.message()), kHintMark, hint));
}

}  // namespace hakobu
