#include "app/grants_alerts.h"

#include <map>

#include "app/attempt.h"
#include "notify/notifier.h"

namespace hakobu {
namespace {

constexpr absl::Duration kDriftPatience = absl::Seconds(20);

}  // namespace

Observation ObserveDrift(const std::vector<DriftLine>& lines) {
  std::map<std::string, std::vector<DriftLine>> by_target;
  for (const DriftLine& line : lines) by_target[line.target].push_back(line);
  Observation seen;
  seen.looked_at.push_back("grants:drift:*");
  for (const auto& [target, changes] : by_target) {
    seen.present.push_back({.cause = "grants:drift:" + target,
                            .level = NoticeLevel::kWarning,
                            .title = "who may see " + target + " was changed outside of hakobu",
                            .detail = DriftToText(changes)});
  }
  return seen;
}

void TellDrift(const Config& config, const std::vector<DriftLine>& lines) {
  if (config.notify.channels.empty()) return;
  Notifier notifier({.config = config.notify,
                     .ledger_path = config.ledger,
                     .config_path = config.path,
                     .http = NoticeHttp(config)});
  notifier.Note(ObserveDrift(lines));
  notifier.Flush(kDriftPatience, Cancellation());
}

}  // namespace hakobu
