#include "base/check.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/log.h"

namespace hakobu {

void CheckFailed(std::string_view place, std::string_view condition, std::string_view broke,
                 std::string_view next) {
  // The tree's own path says nothing to whoever reads the log.
  const size_t source = place.rfind("src/");
  if (source != std::string_view::npos) place.remove_prefix(source);
  Log(LogSeverity::kError,
      fmt::format("hakobu ends itself: {} (expected {}); hint: {}", broke, condition, next),
      {{"at", std::string(place)}});
  std::abort();
}

}  // namespace hakobu
