#include "app/alert_text.h"

namespace hakobu {

std::string WithoutQuoted(std::string_view text) {
  std::string kept;
  while (true) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const size_t first = line.find('\'');
    const size_t last = line.rfind('\'');
    if (first == last) {
      kept += line;
    } else {
      kept.append(line.substr(0, first)).append("'…'").append(line.substr(last + 1));
    }
    if (end == std::string_view::npos) return kept;
    kept += '\n';
    text.remove_prefix(end + 1);
  }
}

}  // namespace hakobu
