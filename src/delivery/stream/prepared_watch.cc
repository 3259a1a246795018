#include "delivery/stream/prepared_watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

#include "base/status.h"
#include "delivery/stream/sequence.h"

namespace hakobu {
namespace {

constexpr size_t kLooks = 2;
// Times in the log and of a server's start have whole seconds. One that was prepared just after the start is
// known to the server, or has its end in the log.
constexpr absl::Duration kClockGrain = absl::Seconds(2);

std::string Hex(std::string_view bytes) {
  std::string text = "X'";
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  return text + "'";
}

}  // namespace

absl::StatusOr<std::set<std::string>> PreparedWatch::Read(Connection* source) {
  HAKOBU_ASSIGN_OR_RETURN(const QueryResult result, source->Query("XA RECOVER"));
  std::set<std::string> xids;
  for (const auto& row : result.rows) {
    const std::string format = row[0].value_or(""), data = row[3].value_or("");
    const size_t global = std::strtoull(row[1].value_or("").c_str(), nullptr, 10);
    const size_t branch = std::strtoull(row[2].value_or("").c_str(), nullptr, 10);
    if (global + branch != data.size()) {
      return absl::DataLossError(
          fmt::format("XA RECOVER: expected {} bytes, found {}", global + branch, data.size()));
    }
    const std::string_view view = data;
    xids.insert(fmt::format("{},{},{}", Hex(view.substr(0, global)), Hex(view.substr(global)), format));
  }
  return xids;
}

void PreparedWatch::Publish(std::set<std::string> xids, const LogState& state) {
  absl::MutexLock lock(&mutex_);
  looks_.push_back({std::move(xids), state.file, state.offset, state.started});
  if (looks_.size() > kLooks) looks_.pop_front();
}

bool PreparedWatch::IsLost(const std::string& xid, absl::Time prepared, const std::string& file,
                           uint64_t offset) const {
  absl::MutexLock lock(&mutex_);
  if (looks_.size() < kLooks) return false;
  return std::all_of(looks_.begin(), looks_.end(), [&](const Look& look) {
    const uint64_t ours = FileNumber(file), theirs = FileNumber(look.file);
    const bool read_past = ours != theirs ? ours > theirs : offset >= look.offset;
    return read_past && !look.xids.contains(xid) && prepared < look.started + kClockGrain;
  });
}

}  // namespace hakobu
