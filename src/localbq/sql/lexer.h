// GoogleSQL's tokens: identifiers, quoted paths, string and bytes literals in all their forms, numbers,
// comments. https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/lexical
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hakobu::localbq::sql {

enum class TokenKind : uint8_t {
  kIdentifier,
  kQuotedIdentifier,
  kString,
  kBytes,
  kInteger,
  kFloat,
  kParameter,
  kSystemVariable,
  kSymbol,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // decoded: without quotes and escapes; numbers, symbols and identifiers as written
  size_t begin = 0, end = 0;  // bytes of the source text
};

absl::StatusOr<std::vector<Token>> Tokenize(std::string_view sql);

// "[3:14]": line and column, from 1, of a byte offset.
std::string Place(std::string_view sql, size_t offset);

// InvalidArgument: "<message> at [line:column]".
absl::Status ErrorAt(std::string_view sql, size_t offset, std::string_view message);

bool EqualsIgnoreCase(std::string_view a, std::string_view b);
std::string Upper(std::string_view text);
std::string Lower(std::string_view text);

// A DuckDB identifier or string literal, quoted.
std::string QuoteName(std::string_view name);
std::string QuoteText(std::string_view text);

}  // namespace hakobu::localbq::sql
