// A place in a statement's tokens.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "decode/ddl/statement.h"
#include "decode/ddl/token.h"

namespace hakobu::ddl {

class Cursor {
 public:
  // `tokens` ends with a kEnd token and outlives the cursor.
  Cursor(const std::vector<Token>& tokens, const DdlContext& context) : tokens_(tokens), context_(context) {}

  const DdlContext& context() const { return context_; }
  const Token& Peek(size_t ahead = 0) const {
    const size_t place = at_ + ahead;
    return place < tokens_.size() ? tokens_[place] : tokens_.back();
  }
  bool AtEnd() const { return Peek().kind == TokenKind::kEnd || (IsSymbol(';') && AtLast()); }
  size_t place() const { return at_; }
  void MoveTo(size_t place) { at_ = place; }
  void Next() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }

  bool IsWord(std::string_view word, size_t ahead = 0) const {
    return Peek(ahead).kind == TokenKind::kWord && EqualsIgnoreCase(Peek(ahead).text, word);
  }
  bool IsAnyWord(std::initializer_list<std::string_view> words, size_t ahead = 0) const {
    for (const std::string_view word : words) {
      if (IsWord(word, ahead)) return true;
    }
    return false;
  }
  bool IsSymbol(char symbol, size_t ahead = 0) const {
    return Peek(ahead).kind == TokenKind::kSymbol && Peek(ahead).text[0] == symbol;
  }
  bool IsName(size_t ahead = 0) const {
    return Peek(ahead).kind == TokenKind::kWord || Peek(ahead).kind == TokenKind::kQuotedName;
  }

  bool Accept(std::string_view word) {
    if (!IsWord(word)) return false;
    Next();
    return true;
  }
  bool AcceptAny(std::initializer_list<std::string_view> words) {
    if (!IsAnyWord(words)) return false;
    Next();
    return true;
  }
  // All of them, in order, or none.
  bool AcceptAll(std::initializer_list<std::string_view> words) {
    size_t ahead = 0;
    for (const std::string_view word : words) {
      if (!IsWord(word, ahead++)) return false;
    }
    at_ += words.size();
    return true;
  }
  bool AcceptSymbol(char symbol) {
    if (!IsSymbol(symbol)) return false;
    Next();
    return true;
  }
  bool AcceptIfExists() { return AcceptAll({"IF", "EXISTS"}); }
  bool AcceptIfNotExists() { return AcceptAll({"IF", "NOT", "EXISTS"}); }

  absl::Status Expect(std::string_view word);
  absl::Status ExpectSymbol(char symbol);
  // `expected <what>, found <token>`
  absl::Status Unexpected(std::string_view what) const;

  absl::StatusOr<std::string> TakeName(std::string_view what);
  // `[database.]table`; the session's database where none is written.
  absl::StatusOr<TableName> TakeTableName();
  absl::StatusOr<uint64_t> TakeNumber();
  // A type's length: the servers take `19.5` for 19.
  absl::StatusOr<uint64_t> TakeLength();
  // A word, quoted name or string, lower-case: character sets, collations, engines.
  absl::StatusOr<std::string> TakeOptionValue(std::string_view what);
  // From '(' to behind the ')' that closes it.
  absl::Status SkipParentheses();

 private:
  bool AtLast() const { return at_ + 2 >= tokens_.size(); }

  const std::vector<Token>& tokens_;
  const DdlContext& context_;
  size_t at_ = 0;
};

// Parts of the grammar, one file each. All leave the cursor behind what they read.
absl::StatusOr<ColumnDefinition> ParseColumn(Cursor* cursor);            // name, type, attributes
absl::Status ParseColumnType(Cursor* cursor, ColumnDefinition* column);  // parse_type.cc
// UNSIGNED, CHARACTER SET …: what belongs to the type.
absl::Status ParseTypeAttributes(Cursor* cursor, ColumnDefinition* column);
// `(json_valid(column))`: that column's name; any other expression: nullopt. Skips both.
absl::StatusOr<std::optional<std::string>> ParseCheck(Cursor* cursor);

// Whether a table element begins here that is no column.
bool IsKeyElement(const Cursor& cursor);
struct TableElement {
  std::optional<KeyDefinition> key;
  std::optional<std::string> json_check;
  std::vector<std::string> not_null;  // columns of a PERIOD
};
absl::StatusOr<TableElement> ParseKeyElement(Cursor* cursor);
// `(a, b(10) DESC, (a + b))`
absl::Status ParseKeyParts(Cursor* cursor, KeyDefinition* key);
absl::Status ParseKeyOptions(Cursor* cursor, KeyDefinition* key);

// One option of a table, as CREATE and ALTER write them; false when none begins here.
absl::StatusOr<bool> ParseTableOption(Cursor* cursor, TableOptions* options);
// [DEFAULT] CHARACTER SET and COLLATE alone.
absl::StatusOr<bool> ParseCharsetOption(Cursor* cursor, TableOptions* options);

// Behind CREATE … TABLE, and ALTER … TABLE.
absl::Status ParseCreateTable(Cursor* cursor, DdlChange* change);
absl::Status ParseAlterTable(Cursor* cursor, DdlChange* change);

}  // namespace hakobu::ddl
