#include "app/outage_status.h"

#include <fmt/format.h>

#include "absl/time/time.h"
#include "base/enum_name.h"
#include "base/escape.h"
#include "base/status.h"
#include "delivery/outage/board.h"

namespace hakobu {
namespace {

std::string UtcSeconds(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string SubjectText(const OutageRecord& outage) {
  const auto subject = FromName<OutageSubject>(outage.subject);
  return subject.has_value() ? std::string(SpokenName(*subject)) : outage.subject;
}

}  // namespace

std::string OutageText(const std::vector<OutageRecord>& outages) {
  std::string text;
  for (const OutageRecord& outage : outages) {
    const bool over = outage.ended != absl::InfinitePast();
    text += fmt::format("  {}: {} {} {}", outage.command, SubjectText(outage),
                        over ? "was away from" : "is away since", UtcSeconds(outage.since));
    text += over ? " to " + UtcSeconds(outage.ended)
                 : fmt::format(", tried last at {}", UtcSeconds(outage.tried));
    text += fmt::format(": {}\n", EscapeControl(outage.error));
    if (!over && !outage.doing.empty()) text += fmt::format("    meanwhile: {}\n", outage.doing);
  }
  return text.empty() ? text : "\nOutages:\n" + text;
}

nlohmann::ordered_json OutageJson(const std::vector<OutageRecord>& outages) {
  auto json = nlohmann::ordered_json::array();
  for (const OutageRecord& outage : outages) {
    const bool over = outage.ended != absl::InfinitePast();
    json.push_back({{"command", outage.command},
                    {"subject", outage.subject},
                    {"since", UtcSeconds(outage.since)},
                    {"ended", over ? nlohmann::ordered_json(UtcSeconds(outage.ended)) : nullptr},
                    {"tried", UtcSeconds(outage.tried)},
                    {"failures", outage.failures},
                    {"work", outage.work},
                    {"error", outage.error},
                    {"meanwhile", outage.doing}});
  }
  return json;
}

}  // namespace hakobu
