// Values of a key's columns: how they are read, written into SQL and halved.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "row/source_table.h"
#include "source/chunk.h"

namespace hakobu {

// Whether a bound can be told by values of this column: compared by the server in the index's own order.
bool IsRangeable(const SourceColumn& column);

// The expression that reads the column's value in KeyBound's form.
std::string KeyExpression(const SourceColumn& column);

// A KeyBound value as an SQL literal that the server compares in the column's own collation and order.
// InvalidArgument when it is none of this column's form (nothing of a ledger's text reaches SQL unchecked).
absl::StatusOr<std::string> KeyLiteral(const SourceColumn& column, std::string_view value);

// A value between `low` and `high`, near the middle, for probing; it need not exist, and may be off for
// collations that order unlike code points. nullopt: there is none to be named.
std::optional<std::string> KeyMiddle(const SourceColumn& column, std::string_view low, std::string_view high);

enum class KeyComparison : uint8_t { kGreater, kGreaterOrEqual, kLess, kLessOrEqual };

// SQL of chunk_select.cc, for planning too.
std::string KeyColumnName(const SourceTable& table, size_t part);
// A bound of fewer columns than the key compares the first ones.
absl::StatusOr<std::string> KeyCondition(const SourceTable& table, const KeyBound& bound,
                                         KeyComparison comparison);
absl::StatusOr<std::string> ChunkCondition(const SourceTable& table, const Chunk& chunk,
                                           std::string_view where);
std::string FromTable(const SourceTable& table, bool force_key);

}  // namespace hakobu
