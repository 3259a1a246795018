#include "delivery/stream/prepared_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/status.h"
#include "decode/binlog/log_decoder.h"

namespace hakobu {
namespace {

constexpr size_t kLooks = 2;
// Times in the log and of a server's start have whole seconds. One that was prepared just after the start is
// known to the server, or has its end in the log.
constexpr absl::Duration kClockGrain = absl::Seconds(2);

}  // namespace

absl::StatusOr<std::set<std::string>> PreparedWatch::Read(Connection* source) {
  HAKOBU_ASSIGN_OR_RETURN(const QueryResult result, source->Query("XA RECOVER", 4));
  std::set<std::string> xids;
  for (const auto& row : result.rows) {
    const auto number = [&row](size_t column) {
      return std::strtoul(row[column].value_or("").c_str(), nullptr, 10);
    };
    const size_t global = number(1), branch = number(2);
    const std::string data = row[3].value_or("");
    if (global + branch != data.size()) {
      return absl::DataLossError(
          fmt::format("XA RECOVER: expected {} bytes, found {}", global + branch, data.size()));
    }
    const std::string_view view = data;
    xids.insert(
        binlog::XidText(view.substr(0, global), view.substr(global), static_cast<uint32_t>(number(0))));
  }
  return xids;
}

void PreparedWatch::Publish(std::set<std::string> xids, const LogState& state) {
  absl::MutexLock lock(&mutex_);
  looks_.push_back({std::move(xids), state.end(), state.started});
  if (looks_.size() > kLooks) looks_.pop_front();
}

bool PreparedWatch::IsLost(const std::string& xid, absl::Time prepared, const LogPoint& read_to) const {
  absl::MutexLock lock(&mutex_);
  if (looks_.size() < kLooks) return false;
  return std::all_of(looks_.begin(), looks_.end(), [&](const Look& look) {
    return OrderInLog(read_to, look.place) >= 0 && !look.xids.contains(xid) &&
           prepared < look.started + kClockGrain;
  });
}

}  // namespace hakobu
