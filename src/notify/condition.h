// What is wrong right now, as somebody saw it who looked.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "config/notify.h"

namespace hakobu {

struct Condition {
  std::string cause;  // "run:table:shop.members": the same words for the same trouble
  NoticeLevel level = NoticeLevel::kCritical;
  std::string title;   // one line for a person
  std::string detail;  // errors, hints; may have lines
};

struct Observation {
  std::vector<Condition> present;
  // What was looked at: causes, or all that begin alike ("run:table:*"). Of these, what is not present is
  // gone; of others nothing is known.
  std::vector<std::string> looked_at;
  absl::Duration settle;  // something must be gone for so long before that is said
};

// Whether `cause` is among `looked_at`.
bool IsLookedAt(const Observation& observation, const std::string& cause);

}  // namespace hakobu
