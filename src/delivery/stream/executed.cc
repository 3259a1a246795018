#include "delivery/stream/executed.h"

#include <fmt/format.h>

#include <charconv>

#include "base/status.h"

namespace hakobu {

absl::StatusOr<ExecutedGtids> ExecutedGtids::Parse(ServerFlavor flavor, std::string_view text) {
  ExecutedGtids executed(flavor);
  if (flavor == ServerFlavor::kMySql) {
    HAKOBU_ASSIGN_OR_RETURN(executed.set_, binlog::GtidSet::Parse(text));
    return executed;
  }
  while (!text.empty()) {
    const size_t comma = text.find(',');
    executed.Add(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  return executed;
}

void ExecutedGtids::Add(std::string_view gtid) {
  if (gtid.empty()) return;
  if (flavor_ == ServerFlavor::kMariaDb) {
    const std::string_view domain = gtid.substr(0, gtid.find('-'));
    const auto found = domains_.find(domain);
    if (found == domains_.end()) {
      domains_.emplace(domain, gtid);
    } else {
      found->second = gtid;
    }
    return;
  }
  const size_t colon = gtid.rfind(':');
  if (colon == std::string_view::npos) return;
  binlog::Gtid one;
  one.source = gtid.substr(0, colon);
  std::from_chars(gtid.data() + colon + 1, gtid.data() + gtid.size(), one.number);
  if (one.number != 0) set_.Add(one);
}

std::string ExecutedGtids::Text() const {
  if (flavor_ == ServerFlavor::kMySql) return set_.Text();
  std::string text;
  for (const auto& [domain, gtid] : domains_) {
    if (!text.empty()) text += ',';
    text += gtid;
  }
  return text;
}

}  // namespace hakobu
