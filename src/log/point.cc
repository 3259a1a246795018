#include "log/point.h"

#include <fmt/format.h>

#include <charconv>

namespace hakobu {
namespace {

constexpr uint64_t kFirstEvent = 4;  // behind the file's magic

}  // namespace

std::string LogPoint::Text() const {
  return known() ? fmt::format("{}:{}", file, offset) : std::string();
}

std::string LogPoint::TextWithGtids() const {
  std::string text = Text();
  if (known() && !gtid_set.empty()) text += " gtid=" + gtid_set;
  return text;
}

LogPoint LogPoint::At(std::string_view file, uint64_t offset) {
  return {.file = std::string(file), .offset = offset};
}

absl::StatusOr<LogPoint> LogPoint::Parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  LogPoint point = At(text.substr(0, colon), kFirstEvent);
  if (colon != std::string_view::npos) {
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data() + colon + 1, end, point.offset);
    if (error != std::errc() || at != end) point.file.clear();
  }
  if (point.known()) return point;
  return absl::InvalidArgumentError(
      fmt::format("'{}' is no place in a binary log: expected FILE or FILE:OFFSET", text));
}

std::optional<uint64_t> LogFileNumber(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  uint64_t number = 0;
  const char* const end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data() + dot + 1, end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

std::weak_ordering OrderInLog(const LogPoint& a, const LogPoint& b) {
  const uint64_t file_a = LogFileNumber(a.file).value_or(0), file_b = LogFileNumber(b.file).value_or(0);
  return file_a != file_b ? file_a <=> file_b : a.offset <=> b.offset;
}

bool OfOneServer(const LogPoint& a, const LogPoint& b) {
  if (a.flavor != b.flavor) return false;
  if (!a.server_uuid.empty() || !b.server_uuid.empty()) return a.server_uuid == b.server_uuid;
  return a.server_id == b.server_id;
}

std::weak_ordering OrderOfDelivery(const DeliveredPoint& a, const DeliveredPoint& b) {
  return a.epoch != b.epoch ? a.epoch <=> b.epoch : OrderInLog(a, b);
}

bool HasPassed(const DeliveredPoint& point, int64_t epoch, const LogPoint& place) {
  return point.epoch != epoch ? point.epoch > epoch : OrderInLog(point, place) >= 0;
}

}  // namespace hakobu
