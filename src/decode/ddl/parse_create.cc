// CREATE TABLE, and the options that ALTER TABLE shares with it.
#include "base/status.h"
#include "decode/ddl/cursor.h"

namespace hakobu::ddl {
namespace {

bool BeginsSelect(const Cursor& cursor) {
  if (cursor.IsWord("WITH") && cursor.IsWord("SYSTEM", 1)) return false;
  return cursor.IsAnyWord({"SELECT", "VALUES", "WITH", "AS", "REPLACE", "IGNORE"}) ||
         (cursor.IsWord("TABLE") && cursor.IsName(1)) ||
         (cursor.IsSymbol('(') && cursor.IsAnyWord({"SELECT", "WITH", "VALUES"}, 1)) ||
         (cursor.IsSymbol('(') && cursor.IsSymbol('(', 1));
}

// PARTITION BY … up to what may follow it.
absl::Status SkipPartitioning(Cursor* cursor) {
  while (!cursor->AtEnd() && !cursor->IsAnyWord({"SELECT", "AS", "IGNORE", "REPLACE", "WITH", "START"})) {
    if (cursor->IsSymbol('(') && cursor->IsAnyWord({"SELECT", "WITH"}, 1)) break;
    if (cursor->IsSymbol('(')) {
      HAKOBU_RETURN_IF_ERROR(cursor->SkipParentheses());
    } else {
      cursor->Next();
    }
  }
  return absl::OkStatus();
}

absl::Status ParseElements(Cursor* cursor, DdlChange* change) {
  HAKOBU_RETURN_IF_ERROR(cursor->ExpectSymbol('('));
  std::vector<std::string> not_null;
  do {
    if (!IsKeyElement(*cursor)) {
      HAKOBU_ASSIGN_OR_RETURN(ColumnDefinition column, ParseColumn(cursor));
      change->columns.push_back(std::move(column));
      continue;
    }
    HAKOBU_ASSIGN_OR_RETURN(TableElement element, ParseKeyElement(cursor));
    if (element.key) change->keys.push_back(*std::move(element.key));
    if (element.json_check) change->json_checks.push_back(*std::move(element.json_check));
    not_null.insert(not_null.end(), element.not_null.begin(), element.not_null.end());
  } while (cursor->AcceptSymbol(','));
  for (ColumnDefinition& column : change->columns) {
    for (const std::string& name : not_null) {
      if (EqualsIgnoreCase(name, column.name)) column.nullable = Tristate::kNo;
    }
  }
  return cursor->ExpectSymbol(')');
}

// Options whose value is one token, or several: `UNION = (a, b)`, `DATA DIRECTORY = '…'`.
absl::StatusOr<bool> SkipOtherOption(Cursor* cursor) {
  if (cursor->AcceptAll({"WITH", "SYSTEM", "VERSIONING"})) return true;
  if (cursor->AcceptAll({"DATA", "DIRECTORY"}) || cursor->AcceptAll({"INDEX", "DIRECTORY"}) ||
      cursor->Accept("UNION") || cursor->Accept("TABLESPACE")) {
    cursor->AcceptSymbol('=');
    if (cursor->IsSymbol('(')) {
      HAKOBU_RETURN_IF_ERROR(cursor->SkipParentheses());
    } else {
      cursor->Next();
    }
    return true;
  }
  if (cursor->Accept("STORAGE")) {  // STORAGE DISK, after TABLESPACE
    cursor->Next();
    return true;
  }
  static constexpr std::string_view kWithoutEquals[] = {"AUTO_INCREMENT",
                                                        "AVG_ROW_LENGTH",
                                                        "CHECKSUM",
                                                        "TABLE_CHECKSUM",
                                                        "CONNECTION",
                                                        "DELAY_KEY_WRITE",
                                                        "INSERT_METHOD",
                                                        "KEY_BLOCK_SIZE",
                                                        "MAX_ROWS",
                                                        "MIN_ROWS",
                                                        "PACK_KEYS",
                                                        "PASSWORD",
                                                        "ROW_FORMAT",
                                                        "STATS_AUTO_RECALC",
                                                        "STATS_PERSISTENT",
                                                        "STATS_SAMPLE_PAGES",
                                                        "COMPRESSION",
                                                        "ENCRYPTION",
                                                        "AUTOEXTEND_SIZE",
                                                        "ENGINE_ATTRIBUTE",
                                                        "SECONDARY_ENGINE_ATTRIBUTE",
                                                        "SECONDARY_ENGINE",
                                                        "TRANSACTIONAL",
                                                        "PAGE_CHECKSUM",
                                                        "SEQUENCE"};
  bool known = cursor->IsName() && cursor->IsSymbol('=', 1);
  for (const std::string_view option : kWithoutEquals) known = known || cursor->IsWord(option);
  if (!known) return false;
  cursor->Next();
  cursor->AcceptSymbol('=');
  cursor->Next();
  return true;
}

// What stands behind the list of columns.
absl::Status ParseTail(Cursor* cursor, DdlChange* change) {
  for (bool more = true; more;) {
    if (cursor->AcceptAll({"WITH", "SYSTEM", "VERSIONING"})) {
      change->system_versioning = true;
      continue;
    }
    // MySQL 8.0.21 marks the atomic CREATE … SELECT so, before its options; its rows follow in the same
    // transaction.
    if (cursor->AcceptAll({"START", "TRANSACTION"})) continue;
    HAKOBU_ASSIGN_OR_RETURN(more, ParseTableOption(cursor, &change->options));
    if (cursor->AcceptSymbol(',')) more = true;
  }
  if (cursor->IsWord("PARTITION")) HAKOBU_RETURN_IF_ERROR(SkipPartitioning(cursor));
  if (cursor->AcceptAll({"START", "TRANSACTION"})) return absl::OkStatus();
  if (BeginsSelect(*cursor)) {
    change->as_select = true;
    while (!cursor->AtEnd()) cursor->Next();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<bool> ParseCharsetOption(Cursor* cursor, TableOptions* options) {
  const size_t begin = cursor->place();
  cursor->Accept("DEFAULT");
  if (cursor->Accept("CHARSET") || cursor->AcceptAll({"CHARACTER", "SET"}) ||
      cursor->AcceptAll({"CHAR", "SET"})) {
    cursor->AcceptSymbol('=');
    options->has_charset = true;
    HAKOBU_ASSIGN_OR_RETURN(options->charset, cursor->TakeOptionValue("a character set"));
    return true;
  }
  if (cursor->Accept("COLLATE")) {
    cursor->AcceptSymbol('=');
    options->has_charset = true;
    HAKOBU_ASSIGN_OR_RETURN(options->collation, cursor->TakeOptionValue("a collation"));
    return true;
  }
  cursor->MoveTo(begin);
  return false;
}

absl::StatusOr<bool> ParseTableOption(Cursor* cursor, TableOptions* options) {
  HAKOBU_ASSIGN_OR_RETURN(const bool charset, ParseCharsetOption(cursor, options));
  if (charset) return true;
  if (cursor->Accept("COMMENT")) {
    cursor->AcceptSymbol('=');
    options->comment = cursor->Peek().text;
    cursor->Next();
    return true;
  }
  if (cursor->AcceptAny({"ENGINE", "TYPE"})) {
    cursor->AcceptSymbol('=');
    HAKOBU_ASSIGN_OR_RETURN(options->engine, cursor->TakeOptionValue("an engine"));
    return true;
  }
  return SkipOtherOption(cursor);
}

absl::Status ParseCreateTable(Cursor* cursor, DdlChange* change) {
  change->if_not_exists = cursor->AcceptIfNotExists();
  HAKOBU_ASSIGN_OR_RETURN(change->table, cursor->TakeTableName());
  const bool in_parentheses = cursor->IsSymbol('(') && cursor->IsWord("LIKE", 1);
  if (in_parentheses) cursor->Next();
  if (cursor->Accept("LIKE")) {
    HAKOBU_ASSIGN_OR_RETURN(change->like, cursor->TakeTableName());
    return in_parentheses ? cursor->ExpectSymbol(')') : absl::OkStatus();
  }
  const bool has_elements = cursor->IsSymbol('(') && !BeginsSelect(*cursor);
  if (has_elements) HAKOBU_RETURN_IF_ERROR(ParseElements(cursor, change));
  HAKOBU_RETURN_IF_ERROR(ParseTail(cursor, change));
  if (!cursor->AtEnd()) return cursor->Unexpected("a table option or the end");
  return absl::OkStatus();
}

}  // namespace hakobu::ddl
