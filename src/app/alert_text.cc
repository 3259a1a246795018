#include "app/alert_text.h"

#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace hakobu {

std::string WithoutQuoted(std::string_view text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  for (std::string& line : lines) {
    const size_t first = line.find('\'');
    const size_t last = line.rfind('\'');
    if (first == last) continue;
    line.replace(first, last - first + 1, "'…'");
  }
  return absl::StrJoin(lines, "\n");
}

}  // namespace hakobu
