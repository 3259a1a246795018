#include <fmt/format.h>

#include "source/log_stream.h"

namespace hakobu {

LogStart LogStart::Oldest() {
  LogStart start;
  start.kind = Kind::kOldest;
  return start;
}

LogStart LogStart::At(std::string file, uint64_t offset) {
  LogStart start;
  start.kind = Kind::kPosition;
  start.point.file = std::move(file);
  start.point.offset = offset;
  return start;
}

LogStart LogStart::After(std::string gtid_set, std::string bytes) {
  LogStart start;
  start.kind = Kind::kGtids;
  start.point.gtid_set = std::move(gtid_set);
  start.gtid_bytes = std::move(bytes);
  return start;
}

std::string LogStart::Text() const {
  switch (kind) {
    case Kind::kNow:
      return "now";
    case Kind::kOldest:
      return "the oldest file";
    case Kind::kPosition:
      return point.Text();
    case Kind::kGtids:
      return point.gtid_set.empty() ? "the first transaction" : fmt::format("after {}", point.gtid_set);
  }
  return "";
}

}  // namespace hakobu
