#include "decode/ddl/cursor.h"

#include <fmt/format.h>

#include <charconv>

#include "base/status.h"
#include "decode/utf8.h"

namespace hakobu::ddl {

absl::Status Cursor::Unexpected(std::string_view what) const {
  const Token& token = Peek();
  return absl::InvalidArgumentError(
      fmt::format("expected {}, found {}", what,
                  token.kind == TokenKind::kEnd ? "the end" : fmt::format("'{}'", token.text.substr(0, 60))));
}

absl::Status Cursor::Expect(std::string_view word) {
  return Accept(word) ? absl::OkStatus() : Unexpected(word);
}

absl::Status Cursor::ExpectSymbol(char symbol) {
  return AcceptSymbol(symbol) ? absl::OkStatus() : Unexpected(fmt::format("'{}'", symbol));
}

absl::StatusOr<std::string> Cursor::TakeName(std::string_view what) {
  if (!IsName()) return Unexpected(what);
  std::string name = Peek().text;
  // The servers' own names always are text: this one can be of no table there is.
  if (!IsUtf8(name))
    return absl::InvalidArgumentError(fmt::format("expected {}, found bytes that are no text", what));
  Next();
  return name;
}

absl::StatusOr<TableName> Cursor::TakeTableName() {
  TableName name;
  AcceptSymbol('.');  // `.t` is t of the session's database
  HAKOBU_ASSIGN_OR_RETURN(name.table, TakeName("a table's name"));
  name.database = context_.database;
  if (AcceptSymbol('.')) {
    name.database = std::move(name.table);
    HAKOBU_ASSIGN_OR_RETURN(name.table, TakeName("a table's name"));
  }
  return name;
}

absl::StatusOr<uint64_t> Cursor::TakeNumber() {
  const std::string& text = Peek().text;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (Peek().kind != TokenKind::kNumber || error != std::errc() || end != text.data() + text.size()) {
    return Unexpected("a whole number");
  }
  Next();
  return number;
}

absl::StatusOr<uint64_t> Cursor::TakeLength() {
  const std::string_view text = Peek().text;
  const size_t point = text.find('.');
  uint64_t number = 0;
  const char* const last = text.data() + (point == std::string_view::npos ? text.size() : point);
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (Peek().kind != TokenKind::kNumber || error != std::errc() || end != last) return Unexpected("a length");
  Next();
  return number;
}

absl::StatusOr<std::string> Cursor::TakeOptionValue(std::string_view what) {
  if (!IsName() && Peek().kind != TokenKind::kString && Peek().kind != TokenKind::kNumber)
    return Unexpected(what);
  std::string value = LowerCase(Peek().text);
  Next();
  return value;
}

absl::Status Cursor::SkipParentheses() {
  HAKOBU_RETURN_IF_ERROR(ExpectSymbol('('));
  for (int depth = 1; depth > 0; Next()) {
    if (Peek().kind == TokenKind::kEnd) return Unexpected("')'");
    if (IsSymbol('(')) ++depth;
    if (IsSymbol(')')) --depth;
  }
  return absl::OkStatus();
}

}  // namespace hakobu::ddl
