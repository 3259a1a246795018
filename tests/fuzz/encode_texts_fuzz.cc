// Decimals, geometry, UTF-8 and JSON from bytes of any kind: nothing crashes, and what is accepted comes back
// equal.
#include <cstdlib>
#include <string>
#include <string_view>

#include "encode/binary_text.h"
#include "encode/decimal.h"
#include "encode/geometry.h"
#include "encode/json_check.h"

namespace hakobu {
namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void FuzzDecimal(std::string_view text) {
  char bytes[32];
  Int128 numeric;
  if (ParseNumeric(text, &numeric) == DecimalProblem::kNone) {
    const std::string again = ScaledText({bytes, WriteLittleEndian(numeric, bytes)}, 9);
    Int128 read;
    Check(ParseNumeric(again, &read) == DecimalProblem::kNone && read == numeric);
    Int256 wide;
    Check(ParseBigNumeric(text, &wide) == DecimalProblem::kNone);
    Check(ScaledText({bytes, WriteLittleEndian(wide, bytes)}, 38) == again);
  }
  Int256 big;
  if (ParseBigNumeric(text, &big) == DecimalProblem::kNone) {
    Int256 read;
    const std::string again = ScaledText({bytes, WriteLittleEndian(big, bytes)}, 38);
    Check(ParseBigNumeric(again, &read) == DecimalProblem::kNone && read.words == big.words);
  }
}

void FuzzText(std::string_view text) {
  const std::string valid = EscapeInvalidUtf8(text);
  Check(EscapeInvalidUtf8(valid) == valid);
  for (const size_t cut : {size_t{0}, size_t{1}, size_t{7}, text.size() / 2, text.size() + 3}) {
    const std::string_view bytes = CutUtf8(valid, cut);
    Check(bytes.size() <= cut && EscapeInvalidUtf8(bytes) == bytes);
    const std::string_view characters = FirstCharacters(valid, cut);
    Check(EscapeInvalidUtf8(characters) == characters);
  }
  IsJson(text);
  std::string wkt;
  AppendWkt(text, GeometryUse::kText, &wkt);
  AppendWkt(text, GeometryUse::kGeography, &wkt);
}

}  // namespace
}  // namespace hakobu

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  hakobu::FuzzDecimal(bytes);
  hakobu::FuzzText(bytes);
  return 0;
}
