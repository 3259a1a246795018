// Every character set: what is said to be text must come out as valid UTF-8.
#include <cstdlib>

#include "decode/charset/charset.h"
#include "decode/charset/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static constexpr std::string_view kNames[] = {
      "cp932",  "sjis",  "ujis", "eucjpms", "big5",    "gbk",  "gb18030", "gb2312",  "euckr",
      "latin1", "utf16", "ucs2", "utf32",   "utf16le", "swe7", "ascii",   "utf8mb4", "hebrew"};
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  hakobu::Arena arena(1024);
  std::string_view utf8;
  const auto* charset = hakobu::Charset::Find(kNames[data[0] % std::size(kNames)]);
  if (charset->ToUtf8(bytes, &arena, &utf8) && !hakobu::IsValidUtf8(utf8)) std::abort();
  return 0;
}
