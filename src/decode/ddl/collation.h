// Collations and character sets by name, as information_schema spells them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "decode/ddl/statement.h"

namespace hakobu::ddl {

// "utf8" is utf8mb3's old name, in collations too.
std::string CanonicalCharset(std::string_view charset);
std::string CanonicalCollation(std::string_view collation);

// "utf8mb4_0900_ai_ci" -> "utf8mb4".
std::string CharsetOf(std::string_view collation);
// The character set's own, with the context's choice for utf8mb4. "" when the character set is not known.
std::string DefaultCollation(std::string_view charset, const DdlContext& context);
// "latin1" -> "latin1_bin".
std::string BinaryCollation(std::string_view charset);

// The collation that CHARACTER SET and COLLATE, either of which may be empty, give. "" when neither is given
// or the character set is not known.
std::string ResolveCollation(std::string_view charset, std::string_view collation, const DdlContext& context);
// The same where a collation may leave the character set to its surroundings: MariaDB's `COLLATE DEFAULT`,
// `COLLATE uca1400_ai_ci`. `outer`: the surroundings' collation.
std::string ResolveCollationWithin(std::string_view outer, std::string_view charset,
                                   std::string_view collation, const DdlContext& context);

// By the number sessions have in the log; "" when unknown.
std::string CollationName(uint32_t number);

struct CharacterBytes {
  uint32_t least = 1, most = 1;  // of one character
};
CharacterBytes BytesPerCharacter(std::string_view charset);

}  // namespace hakobu::ddl
