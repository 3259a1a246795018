#include "decode/utf8.h"

#include <simdjson.h>

namespace hakobu {

bool IsWideUtf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace hakobu
