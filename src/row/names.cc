// Column names as BigQuery takes them, flexible names included (its page "Specify a schema", section "Column
// names").
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "row/type_map.h"

namespace hakobu {
namespace {

constexpr size_t kMaxCharacters = 300;
constexpr std::string_view kAllowedSymbols = "&%=+:'<>#| ";
constexpr std::array<std::string_view, 9> kReservedPrefixes = {
    "_TABLE_",
    "_FILE_",
    "_PARTITION",
    "_ROW_TIMESTAMP",
    "__ROOT__",
    "_COLIDENTIFIER",
    "_CHANGE_SEQUENCE_NUMBER",
    "_CHANGE_TYPE",
    "_CHANGE_TIMESTAMP",
};

bool IsAllowed(UChar32 character) {
  if (character < 0) return false;
  if (character < 0x80 && kAllowedSymbols.find(static_cast<char>(character)) != std::string_view::npos)
    return true;
  const uint32_t wanted =
      U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK | U_GC_PC_MASK | U_GC_PD_MASK | U_GC_ZS_MASK;
  return (U_GET_GC_MASK(character) & wanted) != 0;
}

bool StartsWithIgnoringCase(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), name.begin(),
                    [](char a, char b) { return a == absl::ascii_toupper(b); });
}

}  // namespace

std::string DestinationName(std::string_view source_name) {
  std::string name;
  size_t characters = 0;
  const auto size = static_cast<int32_t>(source_name.size());
  for (int32_t at = 0; at < size && characters < kMaxCharacters; ++characters) {
    const int32_t begin = at;
    UChar32 character;
    U8_NEXT(source_name.data(), at, size, character);
    if (IsAllowed(character)) {
      name.append(source_name.substr(static_cast<size_t>(begin), static_cast<size_t>(at - begin)));
    } else {
      name.push_back('_');
    }
  }
  const bool reserved =
      std::any_of(kReservedPrefixes.begin(), kReservedPrefixes.end(),
                  [&](std::string_view prefix) { return StartsWithIgnoringCase(name, prefix); });
  const bool leading_digit = !name.empty() && name.front() >= '0' && name.front() <= '9';
  if (reserved || leading_digit || name.empty()) name.insert(name.begin(), '_');
  return name;
}

}  // namespace hakobu
