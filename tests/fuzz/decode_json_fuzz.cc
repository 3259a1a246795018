// MySQL's binary JSON and the diffs of partial updates.
#include <cstdlib>

#include "decode/binlog/binary_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = std::min<size_t>(input.size() - 1, static_cast<uint8_t>(input[0]));
  const std::string_view document = input.substr(1 + cut), diffs = input.substr(1, cut);
  std::string text;
  if (hakobu::binlog::AppendJsonText(document, &text).ok() && text.empty()) std::abort();
  (void)hakobu::binlog::AppendPatchedJsonText(document, diffs, &text);
  return 0;
}
