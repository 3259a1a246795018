// MySQL's character sets to UTF-8. A SELECT's values come in UTF-8 already; the binary log's rows carry each
// string in its column's own character set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/arena.h"

namespace hakobu {

// Immutable once made; safe from any thread.
class Charset {
 public:
  virtual ~Charset() = default;
  // UTF-8 of `bytes` in *utf8, which lies in `arena`, or is `bytes` itself where nothing had to change.
  // False when the bytes are not valid text of this character set.
  virtual bool ToUtf8(std::string_view bytes, Arena* arena, std::string_view* utf8) const = 0;
  // Whether the character set has this character at all. Not fast.
  virtual bool Has(uint32_t code_point) const = 0;

  // By MySQL's name ("cp932", "utf8mb4" …), lower case. Null when unknown; lives as long as the process.
  static const Charset* Find(std::string_view name);
  // By the collation number that the log's table maps carry, MySQL's or MariaDB's. "binary" has none: null.
  static const Charset* OfCollation(uint32_t collation);
};

// Valid UTF-8 as a server keeps it in a column of this character set: '?' for each character that the set
// lacks.
std::string AsKept(std::string_view utf8, const Charset& charset);

// MySQL's name of the character set of a collation number, "" when unknown.
std::string_view CharsetOfCollation(uint32_t collation);

}  // namespace hakobu
