#include "decode/ddl/savepoint.h"

#include "decode/ddl/cursor.h"
#include "decode/ddl/token.h"

namespace hakobu::ddl {

std::optional<SavepointStatement> ReadSavepoint(std::string_view statement, const DdlContext& context) {
  const bool may_be = EqualsIgnoreCase(statement.substr(0, 9), "SAVEPOINT") ||
                      EqualsIgnoreCase(statement.substr(0, 8), "ROLLBACK");
  std::vector<Token> tokens;
  if (!may_be || !Tokenize(statement, context, &tokens).ok()) return std::nullopt;
  Cursor cursor(tokens, context);
  SavepointStatement savepoint;
  savepoint.rolls_back = cursor.Accept("ROLLBACK");
  if (savepoint.rolls_back) {
    cursor.Accept("WORK");
    if (!cursor.Accept("TO")) return std::nullopt;
    cursor.Accept("SAVEPOINT");
  } else if (!cursor.Accept("SAVEPOINT")) {
    return std::nullopt;
  }
  if (!cursor.IsName()) return std::nullopt;
  savepoint.name = cursor.Peek().text;
  return savepoint;
}

}  // namespace hakobu::ddl
