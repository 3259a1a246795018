#include "base/crash_point.h"

#ifdef HAKOBU_CRASH_POINTS
#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <string>

namespace hakobu {
namespace {

struct Target {
  std::string name;
  int visits_before = 0;
};

const Target& ConfiguredTarget() {
  static const Target* const target = [] {
    auto* parsed = new Target;
    if (const char* value = std::getenv("HAKOBU_CRASH_AT")) {
      parsed->name = value;
      if (const auto colon = parsed->name.rfind(':'); colon != std::string::npos) {
        parsed->visits_before = std::atoi(parsed->name.c_str() + colon + 1) - 1;
        parsed->name.resize(colon);
      }
    }
    return parsed;
  }();
  return *target;
}

}  // namespace

void CrashPoint(std::string_view name) {
  static std::atomic<int> visits{0};
  const Target& target = ConfiguredTarget();
  if (target.name.empty() || name != target.name) return;
  if (visits.fetch_add(1) >= target.visits_before) raise(SIGKILL);
}

}  // namespace hakobu
#endif
