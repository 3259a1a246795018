// Keys and constraints of a table.
#include "base/status.h"
#include "decode/ddl/cursor.h"

namespace hakobu::ddl {
namespace {

absl::Status ParseUsing(Cursor* cursor, KeyDefinition* key) {
  if (cursor->Accept("BTREE")) {
    key->btree = true;
  } else if (cursor->Accept("HASH")) {
    key->hash = true;
  } else if (!cursor->Accept("RTREE")) {
    return cursor->Unexpected("BTREE or HASH");
  }
  return absl::OkStatus();
}

// [INDEX | KEY] [IF NOT EXISTS] [name] [USING …] (parts) options
absl::Status ParseKeyBody(Cursor* cursor, KeyDefinition* key) {
  cursor->AcceptAny({"INDEX", "KEY"});
  key->if_not_exists = cursor->AcceptIfNotExists();
  const bool is_using = cursor->IsAnyWord({"USING", "TYPE"}) && !cursor->IsSymbol('(', 1);
  if (cursor->IsName() && !is_using) {
    HAKOBU_ASSIGN_OR_RETURN(key->name, cursor->TakeName("an index's name"));
  }
  if (cursor->IsAnyWord({"USING", "TYPE"})) {
    cursor->Next();
    HAKOBU_RETURN_IF_ERROR(ParseUsing(cursor, key));
  }
  HAKOBU_RETURN_IF_ERROR(ParseKeyParts(cursor, key));
  return ParseKeyOptions(cursor, key);
}

absl::Status SkipReference(Cursor* cursor) {
  HAKOBU_RETURN_IF_ERROR(cursor->Expect("REFERENCES"));
  HAKOBU_RETURN_IF_ERROR(cursor->TakeTableName().status());
  if (cursor->IsSymbol('(')) HAKOBU_RETURN_IF_ERROR(cursor->SkipParentheses());
  for (;;) {
    if (cursor->Accept("MATCH")) {
      cursor->Next();
    } else if (cursor->AcceptAll({"ON", "DELETE"}) || cursor->AcceptAll({"ON", "UPDATE"})) {
      if (cursor->AcceptAny({"SET", "NO"})) {
        cursor->Next();  // SET NULL, SET DEFAULT, NO ACTION
      } else {
        cursor->Next();  // CASCADE, RESTRICT
      }
    } else {
      return absl::OkStatus();
    }
  }
}

absl::Status ParsePeriod(Cursor* cursor, TableElement* element) {
  HAKOBU_RETURN_IF_ERROR(cursor->TakeName("a period's name").status());
  HAKOBU_RETURN_IF_ERROR(cursor->ExpectSymbol('('));
  do {
    HAKOBU_ASSIGN_OR_RETURN(std::string column, cursor->TakeName("a column's name"));
    element->not_null.push_back(std::move(column));
  } while (cursor->AcceptSymbol(','));
  return cursor->ExpectSymbol(')');
}

bool IsIndexType(const Cursor& cursor) {
  return cursor.IsAnyWord({"FULLTEXT", "SPATIAL"}) ||
         (cursor.IsWord("VECTOR") && cursor.IsAnyWord({"INDEX", "KEY"}, 1));
}

}  // namespace

absl::Status ParseKeyParts(Cursor* cursor, KeyDefinition* key) {
  HAKOBU_RETURN_IF_ERROR(cursor->ExpectSymbol('('));
  do {
    KeyPart& part = key->parts.emplace_back();
    if (cursor->IsSymbol('(')) {
      HAKOBU_RETURN_IF_ERROR(cursor->SkipParentheses());
    } else {
      HAKOBU_ASSIGN_OR_RETURN(part.column, cursor->TakeName("a column's name"));
      if (cursor->AcceptSymbol('(')) {
        HAKOBU_ASSIGN_OR_RETURN(part.prefix, cursor->TakeNumber());
        HAKOBU_RETURN_IF_ERROR(cursor->ExpectSymbol(')'));
      }
    }
    cursor->AcceptAny({"ASC", "DESC"});
    // MariaDB's application-time keys end so: UNIQUE (a, p WITHOUT OVERLAPS).
    if (cursor->AcceptAll({"WITHOUT", "OVERLAPS"})) part.column.clear();
  } while (cursor->AcceptSymbol(','));
  return cursor->ExpectSymbol(')');
}

absl::Status ParseKeyOptions(Cursor* cursor, KeyDefinition* key) {
  for (;;) {
    if (cursor->AcceptAny({"USING", "TYPE"})) {
      HAKOBU_RETURN_IF_ERROR(ParseUsing(cursor, key));
    } else if (cursor->AcceptAny(
                   {"KEY_BLOCK_SIZE", "COMMENT", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE"})) {
      cursor->AcceptSymbol('=');
      cursor->Next();
    } else if (cursor->AcceptAll({"WITH", "PARSER"})) {
      cursor->Next();
    } else if (cursor->Accept("INVISIBLE") || cursor->Accept("IGNORED")) {
      key->visible = false;
    } else if (cursor->AcceptAll({"NOT", "IGNORED"}) || cursor->Accept("VISIBLE") ||
               cursor->AcceptAny({"CLUSTERING"})) {
      continue;
    } else if (cursor->IsName() && cursor->IsSymbol('=', 1) &&
               !cursor->IsAnyWord({"ALGORITHM", "LOCK"})) {  // what a MariaDB engine defines
      cursor->Next();
      cursor->Next();
      cursor->Next();
    } else {
      return absl::OkStatus();
    }
  }
}

bool IsKeyElement(const Cursor& cursor) {
  return cursor.IsAnyWord({"CONSTRAINT", "PRIMARY", "UNIQUE", "INDEX", "KEY", "FOREIGN", "CHECK"}) ||
         IsIndexType(cursor) || (cursor.IsWord("PERIOD") && cursor.IsWord("FOR", 1));
}

absl::StatusOr<TableElement> ParseKeyElement(Cursor* cursor) {
  TableElement element;
  std::string symbol;
  if (cursor->Accept("CONSTRAINT")) {
    cursor->AcceptIfNotExists();
    if (!cursor->IsAnyWord({"PRIMARY", "UNIQUE", "FOREIGN", "CHECK"})) {
      HAKOBU_ASSIGN_OR_RETURN(symbol, cursor->TakeName("a constraint's name"));
    }
  }
  if (cursor->AcceptAll({"PERIOD", "FOR"})) {
    HAKOBU_RETURN_IF_ERROR(ParsePeriod(cursor, &element));
    return element;
  }
  if (cursor->Accept("CHECK")) {
    HAKOBU_ASSIGN_OR_RETURN(element.json_check, ParseCheck(cursor));
    cursor->Accept("NOT");
    cursor->Accept("ENFORCED");
    return element;
  }
  KeyDefinition& key = element.key.emplace();
  if (cursor->AcceptAll({"FOREIGN", "KEY"})) {
    key.type = KeyDefinition::Type::kForeign;
    HAKOBU_RETURN_IF_ERROR(ParseKeyBody(cursor, &key));
    if (!symbol.empty()) key.name = symbol;
    HAKOBU_RETURN_IF_ERROR(SkipReference(cursor));
    return element;
  }
  if (IsIndexType(*cursor)) {
    cursor->Next();
  } else if (cursor->Accept("PRIMARY")) {
    key.type = KeyDefinition::Type::kPrimary;
  } else if (cursor->Accept("UNIQUE")) {
    key.type = KeyDefinition::Type::kUnique;
  }
  HAKOBU_RETURN_IF_ERROR(ParseKeyBody(cursor, &key));
  if (key.type == KeyDefinition::Type::kPrimary) key.name = "PRIMARY";
  if (key.name.empty()) key.name = symbol;
  return element;
}

}  // namespace hakobu::ddl
