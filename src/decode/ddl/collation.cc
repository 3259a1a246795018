#include "decode/ddl/collation.h"

#include <fmt/format.h>

#include "decode/charset/charset.h"
#include "decode/ddl/collation_tables.h"

namespace hakobu::ddl {
namespace {

// MariaDB numbers its "nopad" collations 1024 above the plain ones.
constexpr uint32_t kNoPad = 1024, kUca1400 = 2048;

const NamedCharset* FindCharset(std::string_view name) {
  for (const NamedCharset& charset : kCharsets) {
    if (charset.name == name) return &charset;
  }
  return nullptr;
}

// utf8mb4_bin -> utf8mb4_nopad_bin, utf8mb4_general_ci -> utf8mb4_general_nopad_ci
std::string NoPadName(std::string_view name) {
  const size_t end = name.rfind('_');
  if (end == name.npos) return {};
  return fmt::format("{}_nopad{}", name.substr(0, end), name.substr(end));
}

}  // namespace

std::string CanonicalCharset(std::string_view charset) {
  return charset == "utf8" ? "utf8mb3" : std::string(charset);
}

std::string CanonicalCollation(std::string_view collation) {
  if (collation.starts_with("utf8_")) return fmt::format("utf8mb3{}", collation.substr(4));
  return std::string(collation);
}

std::string CharsetOf(std::string_view collation) {
  return CanonicalCharset(collation.substr(0, collation.find('_')));
}

std::string DefaultCollation(std::string_view charset, const DdlContext& context) {
  if (charset == "utf8mb4") {
    if (!context.utf8mb4_collation.empty()) return context.utf8mb4_collation;
    if (context.dialect == Dialect::kMariaDb || context.version < 80001) return "utf8mb4_general_ci";
  }
  const NamedCharset* found = FindCharset(charset);
  return found == nullptr ? std::string() : std::string(found->collation);
}

std::string BinaryCollation(std::string_view charset) {
  return charset == "binary" ? "binary" : fmt::format("{}_bin", charset);
}

std::string ResolveCollation(std::string_view charset, std::string_view collation,
                             const DdlContext& context) {
  if (collation.empty() || collation == "default")
    return charset.empty() ? "" : DefaultCollation(CanonicalCharset(charset), context);
  // MariaDB's UCA collations go by a name without their character set.
  if (collation.starts_with("uca1400_") && !charset.empty()) {
    return fmt::format("{}_{}", CanonicalCharset(charset), collation);
  }
  return CanonicalCollation(collation);
}

std::string ResolveCollationWithin(std::string_view outer, std::string_view charset,
                                   std::string_view collation, const DdlContext& context) {
  const bool leaves_charset = collation == "default" || collation.starts_with("uca1400_");
  if (!charset.empty() || !leaves_charset) return ResolveCollation(charset, collation, context);
  return ResolveCollation(CharsetOf(outer), collation, context);
}

std::string CollationName(uint32_t number) {
  if (number >= kUca1400) {
    const std::string_view charset = CharsetOfCollation(number);
    return charset.empty() ? std::string() : fmt::format("{}_uca1400_ai_ci", charset);
  }
  const bool no_pad = number >= kNoPad;
  if (no_pad) number -= kNoPad;
  for (const NumberedCollation& collation : kCollations) {
    if (collation.number == number) {
      return no_pad ? NoPadName(collation.name) : std::string(collation.name);
    }
  }
  return {};
}

CharacterBytes BytesPerCharacter(std::string_view charset) {
  const NamedCharset* found = FindCharset(charset);
  return found == nullptr ? CharacterBytes{} : found->bytes;
}

}  // namespace hakobu::ddl
