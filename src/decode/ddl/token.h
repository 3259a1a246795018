// SQL text as tokens: comments gone, executable comments taken where the server would take them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "decode/ddl/statement.h"

namespace hakobu::ddl {

enum class TokenKind : uint8_t {
  kWord,        // keyword or name without quotes; text as written
  kQuotedName,  // text without its quotes
  kString,      // text decoded
  kNumber,
  kHex,     // x'61', 0x61, b'1': text is the bytes
  kSymbol,  // one character
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
};

// InvalidArgument when a quote or comment does not end; `tokens` then holds what came before. Always ends
// with a kEnd token.
absl::Status Tokenize(std::string_view text, const DdlContext& context, std::vector<Token>* tokens);

// ASCII case does not matter.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);
std::string LowerCase(std::string_view text);

}  // namespace hakobu::ddl
