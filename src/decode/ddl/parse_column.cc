// A column's definition: name, type and attributes, in any order the servers take them.
#include "base/status.h"
#include "decode/ddl/cursor.h"

namespace hakobu::ddl {
namespace {

bool EndsAttributes(const Cursor& cursor) {
  // What ALTER TABLE may do to partitions follows its last action without a comma.
  const bool partitions = (cursor.IsWord("PARTITION") && cursor.IsWord("BY", 1)) ||
                          (cursor.IsWord("REMOVE") && cursor.IsWord("PARTITIONING", 1));
  return cursor.AtEnd() || cursor.IsSymbol(',') || cursor.IsSymbol(')') || partitions ||
         cursor.IsAnyWord({"FIRST", "AFTER"});
}

// From CASE to behind its END.
absl::Status SkipCase(Cursor* cursor) {
  HAKOBU_RETURN_IF_ERROR(cursor->Expect("CASE"));
  for (int depth = 1; depth > 0; cursor->Next()) {
    if (cursor->Peek().kind == TokenKind::kEnd) return cursor->Unexpected("END");
    if (cursor->IsWord("CASE")) ++depth;
    if (cursor->IsWord("END")) --depth;
  }
  return absl::OkStatus();
}

bool IsTemporalLiteral(const Cursor& cursor) {
  return cursor.IsAnyWord({"DATE", "TIME", "TIMESTAMP"}) && cursor.Peek(1).kind == TokenKind::kString;
}

// DEFAULT's value: a literal, a function, an expression in parentheses, MariaDB's bare expressions.
absl::Status SkipDefault(Cursor* cursor, ColumnDefinition* column) {
  bool computed = false;
  column->default_kind = DefaultKind::kExpression;
  while (cursor->AcceptAny({"NOT", "BINARY"}) || cursor->AcceptSymbol('!') || cursor->AcceptSymbol('~'))
    computed = true;
  const bool negative = cursor->AcceptSymbol('-');
  if (!negative) cursor->AcceptSymbol('+');
  if (IsTemporalLiteral(*cursor)) cursor->Next();
  const Token& token = cursor->Peek();
  if (token.kind == TokenKind::kEnd) return cursor->Unexpected("a default");
  if (token.kind == TokenKind::kString || token.kind == TokenKind::kNumber || token.kind == TokenKind::kHex) {
    column->default_kind = DefaultKind::kConstant;
    column->constant = (negative ? "-" : "") + token.text;
    cursor->Next();
  } else if (cursor->Accept("NULL")) {
    column->default_kind = DefaultKind::kNull;
  } else if (cursor->IsAnyWord({"TRUE", "FALSE"})) {
    column->default_kind = DefaultKind::kConstant;
    column->constant = cursor->IsWord("TRUE") ? "1" : "0";
    cursor->Next();
  } else if (cursor->AcceptAll({"NEXT", "VALUE", "FOR"})) {
    return cursor->TakeTableName().status();
  } else if (cursor->IsWord("CASE")) {
    HAKOBU_RETURN_IF_ERROR(SkipCase(cursor));
  } else if (cursor->IsSymbol('(')) {
    HAKOBU_RETURN_IF_ERROR(cursor->SkipParentheses());
  } else {
    cursor->Next();
  }
  if (computed) column->default_kind = DefaultKind::kExpression;
  // What may follow in an expression and begins no attribute.
  for (;;) {
    if (cursor->IsSymbol('(')) {
      column->default_kind = DefaultKind::kExpression;
      HAKOBU_RETURN_IF_ERROR(cursor->SkipParentheses());
    } else if (cursor->Peek().kind == TokenKind::kSymbol && !EndsAttributes(*cursor)) {
      column->default_kind = DefaultKind::kExpression;
      cursor->Next();
      if (!EndsAttributes(*cursor) && !cursor->IsSymbol('(')) cursor->Next();
    } else if (cursor->IsAnyWord({"DIV", "MOD", "XOR", "AND", "OR"})) {
      column->default_kind = DefaultKind::kExpression;
      cursor->Next();
      cursor->Next();
    } else {
      return absl::OkStatus();
    }
  }
}

// REFERENCES t (a) [MATCH x] [ON DELETE …] [ON UPDATE …]
absl::Status SkipReferences(Cursor* cursor) {
  HAKOBU_RETURN_IF_ERROR(cursor->TakeTableName().status());
  if (cursor->IsSymbol('(')) HAKOBU_RETURN_IF_ERROR(cursor->SkipParentheses());
  for (;;) {
    if (cursor->Accept("MATCH")) {
      cursor->Next();
    } else if (cursor->AcceptAll({"ON", "DELETE"}) || cursor->AcceptAll({"ON", "UPDATE"})) {
      if (cursor->AcceptAny({"SET", "NO"}))
        cursor->Next();  // SET NULL, SET DEFAULT, NO ACTION
      else
        cursor->Next();  // CASCADE, RESTRICT
    } else {
      return absl::OkStatus();
    }
  }
}

absl::Status ParseGenerated(Cursor* cursor, ColumnDefinition* column) {
  column->row_end = cursor->IsWord("ROW") && cursor->IsWord("END", 1);
  if (cursor->AcceptAll({"ROW", "START"}) || cursor->AcceptAll({"ROW", "END"})) {
    column->generated = column->stored = true;
    column->nullable = Tristate::kNo;
    return absl::OkStatus();
  }
  column->generated = true;
  HAKOBU_RETURN_IF_ERROR(cursor->SkipParentheses());
  if (cursor->AcceptAny({"STORED", "PERSISTENT"})) {
    column->stored = true;
  } else {
    cursor->Accept("VIRTUAL");
  }
  return absl::OkStatus();
}

absl::Status ParseColumnCheck(Cursor* cursor, ColumnDefinition* column) {
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<std::string> json, ParseCheck(cursor));
  if (json && EqualsIgnoreCase(*json, column->name)) column->json_check = true;
  return absl::OkStatus();
}

// The attributes that are one word and set one thing. False when none of them is written here.
bool TakeSimpleAttribute(Cursor* cursor, ColumnDefinition* column) {
  if (cursor->AcceptAll({"NOT", "NULL"})) {
    column->nullable = Tristate::kNo;
  } else if (cursor->Accept("NULL")) {
    column->nullable = Tristate::kYes;
  } else if (cursor->Accept("AUTO_INCREMENT")) {
    column->auto_increment = true;
  } else if (cursor->AcceptAll({"SERIAL", "DEFAULT", "VALUE"})) {
    column->auto_increment = column->unique = true;
    column->nullable = Tristate::kNo;
  } else if (cursor->Accept("UNIQUE")) {
    column->unique = true;
    cursor->Accept("KEY");
  } else if (cursor->AcceptAll({"PRIMARY", "KEY"}) || cursor->AcceptAny({"KEY", "PRIMARY"})) {
    column->primary = true;
  } else if (cursor->Accept("VISIBLE")) {
    column->visible = Tristate::kYes;
  } else if (cursor->Accept("INVISIBLE")) {
    column->visible = Tristate::kNo;
  } else if (cursor->AcceptAll({"NOT", "SECONDARY"}) || cursor->AcceptAll({"WITH", "SYSTEM", "VERSIONING"}) ||
             cursor->AcceptAll({"WITHOUT", "SYSTEM", "VERSIONING"}) || cursor->Accept("ENFORCED") ||
             cursor->AcceptAll({"NOT", "ENFORCED"})) {
    return true;
  } else {
    return false;
  }
  return true;
}

absl::Status ParseAttribute(Cursor* cursor, ColumnDefinition* column) {
  if (TakeSimpleAttribute(cursor, column)) return absl::OkStatus();
  if (cursor->Accept("DEFAULT")) return SkipDefault(cursor, column);
  if (cursor->AcceptAll({"ON", "UPDATE"})) {
    cursor->Next();
    return cursor->IsSymbol('(') ? cursor->SkipParentheses() : absl::OkStatus();
  }
  if (cursor->Accept("COMMENT")) {
    column->comment = cursor->Peek().text;
    cursor->Next();
    return absl::OkStatus();
  }
  if (cursor->Accept("COLLATE")) {
    HAKOBU_ASSIGN_OR_RETURN(column->collation, cursor->TakeOptionValue("a collation"));
    return absl::OkStatus();
  }
  if (cursor->Accept("SRID") || cursor->Accept("REF_SYSTEM_ID")) {
    cursor->AcceptSymbol('=');
    HAKOBU_ASSIGN_OR_RETURN(const uint64_t srid, cursor->TakeNumber());
    column->srid = static_cast<uint32_t>(srid);
    return absl::OkStatus();
  }
  if (cursor->AcceptAll({"GENERATED", "ALWAYS", "AS"}) || cursor->Accept("AS")) {
    return ParseGenerated(cursor, column);
  }
  if (cursor->Accept("REFERENCES")) return SkipReferences(cursor);
  if (cursor->Accept("CONSTRAINT")) {
    if (!cursor->IsWord("CHECK")) cursor->Next();
    return cursor->IsWord("CHECK") ? absl::OkStatus() : cursor->Unexpected("CHECK");
  }
  if (cursor->Accept("CHECK")) return ParseColumnCheck(cursor, column);
  if (cursor->AcceptAny({"COLUMN_FORMAT", "STORAGE"})) {
    cursor->Next();
    return absl::OkStatus();
  }
  // ENGINE_ATTRIBUTE = '…', and whatever a MariaDB engine defines.
  const bool has_value = cursor->IsSymbol('=', 1) || cursor->Peek(1).kind == TokenKind::kString;
  if (cursor->IsName() && has_value) {
    cursor->Next();
    cursor->AcceptSymbol('=');
    cursor->Next();
    return absl::OkStatus();
  }
  // Some of a type's own attributes may come late: `INT NOT NULL UNSIGNED` is refused by the servers, but
  // `VARCHAR(3) NOT NULL CHARACTER SET latin1` is not by all.
  const size_t before = cursor->place();
  HAKOBU_RETURN_IF_ERROR(ParseTypeAttributes(cursor, column));
  return cursor->place() == before ? cursor->Unexpected("a column's attribute") : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<std::string>> ParseCheck(Cursor* cursor) {
  std::optional<std::string> column;
  const size_t begin = cursor->place();
  const bool json = cursor->AcceptSymbol('(') && cursor->Accept("JSON_VALID") && cursor->AcceptSymbol('(') &&
                    cursor->IsName() && cursor->IsSymbol(')', 1) && cursor->IsSymbol(')', 2);
  if (json) column = cursor->Peek().text;
  cursor->MoveTo(begin);
  HAKOBU_RETURN_IF_ERROR(cursor->SkipParentheses());
  return column;
}

absl::StatusOr<ColumnDefinition> ParseColumn(Cursor* cursor) {
  ColumnDefinition column;
  HAKOBU_ASSIGN_OR_RETURN(column.name, cursor->TakeName("a column's name"));
  // `t.c` and `db.t.c` are taken too.
  while (cursor->AcceptSymbol('.')) {
    HAKOBU_ASSIGN_OR_RETURN(column.name, cursor->TakeName("a column's name"));
  }
  HAKOBU_RETURN_IF_ERROR(Annotate(ParseColumnType(cursor, &column), column.name));
  while (!EndsAttributes(*cursor)) {
    HAKOBU_RETURN_IF_ERROR(Annotate(ParseAttribute(cursor, &column), column.name));
  }
  return column;
}

}  // namespace hakobu::ddl
