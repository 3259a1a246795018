#include "app/metrics_page.h"

namespace hakobu {

std::string EscapedLabel(std::string_view value) {
  std::string text;
  for (const char character : value) {
    switch (character) {
      case '\\':
        text += "\\\\";
        break;
      case '"':
        text += "\\\"";
        break;
      case '\n':
        text += "\\n";
        break;
      default:
        text += character;
    }
  }
  return text;
}

}  // namespace hakobu
