// Invariants that stay on in release builds. Where one does not hold, what hakobu believes of its own state
// is wrong, and going on could write wrong rows or call a table whole. So the process ends at once, as if it
// were killed; every durable step is made for that, and the next start goes on from the ledger.
#pragma once

#include <string_view>

namespace hakobu {

// Logs and ends the process (SIGABRT). Not for the outside world's faults: those are absl::Status.
[[noreturn]] void CheckFailed(std::string_view place, std::string_view condition, std::string_view broke,
                              std::string_view next);

inline constexpr std::string_view kStartAgain =
    "start hakobu again, it goes on from its ledger; if it ends here again, report this line";

}  // namespace hakobu

#define HAKOBU_CHECK_TEXT_INNER(value) #value
#define HAKOBU_CHECK_TEXT(value) HAKOBU_CHECK_TEXT_INNER(value)

// `broke`: what is wrong if the condition does not hold; `next`: what is safe to do (often kStartAgain). Both
// are evaluated only then.
#define HAKOBU_CHECK(condition, broke, next)                                                        \
  do {                                                                                              \
    if (!(condition)) [[unlikely]]                                                                  \
      ::hakobu::CheckFailed(__FILE__ ":" HAKOBU_CHECK_TEXT(__LINE__), #condition, (broke), (next)); \
  } while (false)
