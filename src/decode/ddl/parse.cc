#include "decode/ddl/parse.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/arena.h"
#include "base/status.h"
#include "decode/charset/charset.h"
#include "decode/ddl/collation.h"
#include "decode/ddl/cursor.h"

namespace hakobu::ddl {
namespace {

// sql_mode's bits, sql/system_variables.h.
constexpr uint64_t kRealAsFloat = 1, kAnsiQuotes = 4, kOracle = 1 << 9, kMaxDb = 1 << 12;
constexpr uint64_t kNoBackslashEscapes = 1 << 20, kStrictTrans = 1 << 21, kStrictAll = 1 << 22;

using Changes = std::vector<DdlChange>;

DdlChange Change(DdlKind kind, std::string_view verb) {
  DdlChange change;
  change.kind = kind;
  change.verb = verb;
  return change;
}

Changes One(DdlChange change) {
  Changes changes;
  changes.push_back(std::move(change));
  return changes;
}

// Names after words that tables follow, wherever they stand: what a statement that cannot be read, or one
// that changes rows, may concern.
std::vector<TableName> TablesNamed(const std::vector<Token>& tokens, const DdlContext& context) {
  std::vector<TableName> names;
  Cursor cursor(tokens, context);
  while (cursor.Peek().kind != TokenKind::kEnd) {
    const bool before_tables =
        cursor.AcceptAny({"TABLE", "TABLES", "INTO", "UPDATE", "FROM", "JOIN", "ON", "TO", "LIKE"});
    if (!before_tables) {
      cursor.Next();
      continue;
    }
    cursor.AcceptIfExists();
    cursor.AcceptIfNotExists();
    while (cursor.AcceptAny({"LOW_PRIORITY", "IGNORE", "ONLY", "TABLE"})) continue;
    do {
      if (!cursor.IsName()) break;
      absl::StatusOr<TableName> name = cursor.TakeTableName();
      if (name.ok() && std::find(names.begin(), names.end(), *name) == names.end()) names.push_back(*name);
    } while (cursor.AcceptSymbol(','));
  }
  return names;
}

// Options that stand between a verb and what it is about: OR REPLACE, DEFINER=…, ALGORITHM=…
bool SkipModifier(Cursor* cursor) {
  if (cursor->AcceptAll({"OR", "REPLACE"}) ||
      cursor->AcceptAny({"ONLINE", "OFFLINE", "IGNORE", "AGGREGATE"})) {
    return true;
  }
  if (cursor->AcceptAll({"SQL", "SECURITY"})) {
    cursor->Next();
    return true;
  }
  if (cursor->IsAnyWord({"DEFINER", "ALGORITHM"}) && cursor->IsSymbol('=', 1)) {
    for (int i = 0; i < 3; ++i) cursor->Next();  // the word, '=', the value
    if (cursor->IsSymbol('(')) return cursor->SkipParentheses().ok();
    if (cursor->AcceptSymbol('@')) cursor->Next();
    return true;
  }
  return false;
}

// Things that are created, altered and dropped, and hold no rows of a table.
bool IsOtherObject(const Cursor& cursor) {
  return cursor.IsAnyWord({"VIEW",    "PROCEDURE", "FUNCTION", "TRIGGER",  "EVENT",
                           "USER",    "ROLE",      "SERVER",   "LOGFILE",  "TABLESPACE",
                           "UNDO",    "SPATIAL",   "RESOURCE", "SEQUENCE", "PACKAGE",
                           "LIBRARY", "INSTANCE",  "PREPARE",  "JSON",     "MATERIALIZED"});
}

absl::StatusOr<Changes> ParseDatabase(Cursor* cursor, DdlKind kind, std::string_view verb, bool or_replace) {
  DdlChange change = Change(kind, verb);
  change.or_replace = or_replace;
  change.if_not_exists = cursor->AcceptIfNotExists();
  change.if_exists = cursor->AcceptIfExists();
  change.database = cursor->context().database;
  const bool option_first = cursor->IsAnyWord({"DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "READ"});
  if (kind != DdlKind::kAlterDatabase || !option_first) {
    HAKOBU_ASSIGN_OR_RETURN(change.database, cursor->TakeName("a database's name"));
  }
  for (bool more = kind != DdlKind::kDropDatabase; more && !cursor->AtEnd();) {
    HAKOBU_ASSIGN_OR_RETURN(more, ParseCharsetOption(cursor, &change.options));
    if (!more) {
      cursor->Next();  // ENCRYPTION, READ ONLY, COMMENT: nothing that tables inherit and hakobu reads
      more = true;
    }
  }
  return One(std::move(change));
}

// [UNIQUE | FULLTEXT | …] INDEX name [USING …] ON table (parts) options
absl::StatusOr<Changes> ParseCreateIndex(Cursor* cursor) {
  AddKey add;
  if (cursor->Accept("UNIQUE")) add.key.type = KeyDefinition::Type::kUnique;
  if (!cursor->IsWord("INDEX")) cursor->Next();
  HAKOBU_RETURN_IF_ERROR(cursor->Expect("INDEX"));
  add.key.if_not_exists = cursor->AcceptIfNotExists();
  HAKOBU_ASSIGN_OR_RETURN(add.key.name, cursor->TakeName("an index's name"));
  HAKOBU_RETURN_IF_ERROR(ParseKeyOptions(cursor, &add.key));
  HAKOBU_RETURN_IF_ERROR(cursor->Expect("ON"));
  DdlChange change = Change(DdlKind::kAlterTable, "CREATE INDEX");
  HAKOBU_ASSIGN_OR_RETURN(change.table, cursor->TakeTableName());
  HAKOBU_RETURN_IF_ERROR(ParseKeyParts(cursor, &add.key));
  change.actions.push_back(std::move(add));
  return One(std::move(change));
}

absl::StatusOr<Changes> ParseCreate(Cursor* cursor) {
  bool or_replace = false, temporary = false;
  for (;;) {
    or_replace = or_replace || (cursor->IsWord("OR") && cursor->IsWord("REPLACE", 1));
    if (cursor->Accept("TEMPORARY")) {
      temporary = true;
    } else if (!SkipModifier(cursor)) {
      break;
    }
  }
  if (cursor->Accept("TABLE")) {
    DdlChange change = Change(DdlKind::kCreateTable, "CREATE TABLE");
    change.or_replace = or_replace;
    change.temporary = temporary;
    HAKOBU_RETURN_IF_ERROR(ParseCreateTable(cursor, &change));
    return One(std::move(change));
  }
  if (cursor->AcceptAny({"DATABASE", "SCHEMA"})) {
    return ParseDatabase(cursor, DdlKind::kCreateDatabase, "CREATE DATABASE", or_replace);
  }
  const bool index = cursor->IsWord("INDEX") || cursor->IsWord("UNIQUE") || cursor->IsWord("FULLTEXT") ||
                     (cursor->IsAnyWord({"SPATIAL", "VECTOR"}) && cursor->IsWord("INDEX", 1));
  if (index) return ParseCreateIndex(cursor);
  if (IsOtherObject(*cursor)) return One(Change(DdlKind::kOther, "CREATE"));
  return cursor->Unexpected("what to create");
}

absl::StatusOr<Changes> ParseAlter(Cursor* cursor) {
  bool ignore = false;
  do {
    ignore = ignore || cursor->IsWord("IGNORE");
  } while (SkipModifier(cursor));
  if (cursor->Accept("TABLE")) {
    DdlChange change = Change(DdlKind::kAlterTable, "ALTER TABLE");
    change.ignore = ignore;
    HAKOBU_RETURN_IF_ERROR(ParseAlterTable(cursor, &change));
    return One(std::move(change));
  }
  if (cursor->AcceptAny({"DATABASE", "SCHEMA"})) {
    return ParseDatabase(cursor, DdlKind::kAlterDatabase, "ALTER DATABASE", false);
  }
  if (IsOtherObject(*cursor)) return One(Change(DdlKind::kOther, "ALTER"));
  return cursor->Unexpected("what to alter");
}

absl::StatusOr<Changes> ParseDropTables(Cursor* cursor, DdlKind kind, std::string_view verb, bool temporary) {
  Changes changes;
  const bool if_exists = cursor->AcceptIfExists();
  do {
    DdlChange change = Change(kind, verb);
    change.if_exists = if_exists;
    change.temporary = temporary;
    HAKOBU_ASSIGN_OR_RETURN(change.table, cursor->TakeTableName());
    changes.push_back(std::move(change));
  } while (cursor->AcceptSymbol(','));
  return changes;
}

absl::StatusOr<Changes> ParseDrop(Cursor* cursor) {
  const bool temporary = cursor->Accept("TEMPORARY");
  while (SkipModifier(cursor)) continue;
  if (cursor->AcceptAny({"TABLE", "TABLES"})) {
    return ParseDropTables(cursor, DdlKind::kDropTable, "DROP TABLE", temporary);
  }
  if (cursor->Accept("VIEW")) return ParseDropTables(cursor, DdlKind::kDropView, "DROP VIEW", false);
  if (cursor->AcceptAny({"DATABASE", "SCHEMA"})) {
    return ParseDatabase(cursor, DdlKind::kDropDatabase, "DROP DATABASE", false);
  }
  if (cursor->Accept("INDEX")) {
    DdlChange change = Change(DdlKind::kAlterTable, "DROP INDEX");
    cursor->AcceptIfExists();
    HAKOBU_ASSIGN_OR_RETURN(std::string name, cursor->TakeName("an index's name"));
    HAKOBU_RETURN_IF_ERROR(cursor->Expect("ON"));
    HAKOBU_ASSIGN_OR_RETURN(change.table, cursor->TakeTableName());
    change.actions.push_back(DropKey{std::move(name)});
    return One(std::move(change));
  }
  if (IsOtherObject(*cursor)) return One(Change(DdlKind::kOther, "DROP"));
  return cursor->Unexpected("what to drop");
}

absl::StatusOr<Changes> ParseRename(Cursor* cursor) {
  if (cursor->Accept("USER")) return One(Change(DdlKind::kOther, "RENAME USER"));
  if (!cursor->AcceptAny({"TABLE", "TABLES"})) return cursor->Unexpected("TABLE");
  const bool if_exists = cursor->AcceptIfExists();
  Changes changes;
  do {
    DdlChange change = Change(DdlKind::kRenameTable, "RENAME TABLE");
    change.if_exists = if_exists;
    HAKOBU_ASSIGN_OR_RETURN(change.table, cursor->TakeTableName());
    if (cursor->Accept("WAIT")) cursor->Next();
    cursor->Accept("NOWAIT");
    HAKOBU_RETURN_IF_ERROR(cursor->Expect("TO"));
    HAKOBU_ASSIGN_OR_RETURN(change.to, cursor->TakeTableName());
    changes.push_back(std::move(change));
  } while (cursor->AcceptSymbol(','));
  return changes;
}

absl::StatusOr<Changes> ParseTruncate(Cursor* cursor) {
  cursor->Accept("TABLE");
  DdlChange change = Change(DdlKind::kTruncateTable, "TRUNCATE TABLE");
  HAKOBU_ASSIGN_OR_RETURN(change.table, cursor->TakeTableName());
  return One(std::move(change));
}

bool ChangesRows(const Cursor& cursor) {
  return cursor.IsAnyWord(
             {"INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "WITH", "SELECT", "CALL", "DO"}) ||
         cursor.IsSymbol('(');
}

bool ConcernsNoTable(const Cursor& cursor) {
  return cursor.AtEnd() ||
         cursor.IsAnyWord({"GRANT",    "REVOKE",   "SET",        "ANALYZE",   "OPTIMIZE", "REPAIR",
                           "CHECK",    "CHECKSUM", "FLUSH",      "SAVEPOINT", "ROLLBACK", "RELEASE",
                           "COMMIT",   "BEGIN",    "START",      "XA",        "LOCK",     "UNLOCK",
                           "USE",      "INSTALL",  "UNINSTALL",  "KILL",      "PURGE",    "RESET",
                           "SHUTDOWN", "CHANGE",   "STOP",       "CLONE",     "HANDLER",  "HELP",
                           "PREPARE",  "EXECUTE",  "DEALLOCATE", "CACHE",     "SHOW",     "EXPLAIN",
                           "DESCRIBE", "DESC",     "RESTART",    "BACKUP",    "SIGNAL"});
}

// MariaDB's SET STATEMENT a = 1, b = 2 FOR …: settings for one statement.
absl::Status SkipOwnSettings(Cursor* cursor) {
  while (!cursor->IsWord("FOR")) {
    if (cursor->AtEnd()) return cursor->Unexpected("FOR");
    if (cursor->IsSymbol('(')) {
      HAKOBU_RETURN_IF_ERROR(cursor->SkipParentheses());
    } else {
      cursor->Next();
    }
  }
  cursor->Next();
  return absl::OkStatus();
}

absl::StatusOr<Changes> ParseStatement(Cursor* cursor, const std::vector<Token>& tokens) {
  if (cursor->AcceptAll({"SET", "STATEMENT"})) HAKOBU_RETURN_IF_ERROR(SkipOwnSettings(cursor));
  if (ConcernsNoTable(*cursor)) return One(Change(DdlKind::kOther, cursor->Peek().text));
  if (ChangesRows(*cursor)) {
    DdlChange change = Change(DdlKind::kDataStatement, cursor->Peek().text);
    change.tables = TablesNamed(tokens, cursor->context());
    // INSERT and REPLACE may leave INTO out; functions and procedures change what they like.
    if (cursor->IsAnyWord({"INSERT", "REPLACE"}) && change.tables.empty()) {
      cursor->Next();
      while (cursor->AcceptAny({"LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE"})) continue;
      absl::StatusOr<TableName> table = cursor->TakeTableName();
      if (table.ok()) change.tables.push_back(*std::move(table));
    }
    change.may_concern_any_table = change.tables.empty() || cursor->IsAnyWord({"CALL", "SELECT", "DO"});
    return One(std::move(change));
  }
  if (cursor->Accept("CREATE")) return ParseCreate(cursor);
  if (cursor->Accept("ALTER")) return ParseAlter(cursor);
  if (cursor->Accept("DROP")) return ParseDrop(cursor);
  if (cursor->Accept("RENAME")) return ParseRename(cursor);
  if (cursor->Accept("TRUNCATE")) return ParseTruncate(cursor);
  return cursor->Unexpected("a statement that is known");
}

DdlChange Unreadable(const absl::Status& problem, std::string_view text, const std::vector<Token>& tokens,
                     const DdlContext& context) {
  DdlChange change;
  change.kind = DdlKind::kUnknown;
  for (size_t i = 0; i < tokens.size() && i < 2 && tokens[i].kind == TokenKind::kWord; ++i) {
    change.verb += (i == 0 ? "" : " ") + tokens[i].text;
  }
  change.problem = View(problem.message());
  change.tables = TablesNamed(tokens, context);
  change.may_concern_any_table = change.tables.empty();
  change.text = LowerCase(text);
  for (const Token& token : tokens) change.text += " " + LowerCase(token.text);  // without quotes and escapes
  return change;
}

// A statement that is logged though it failed did a part of its work. MariaDB's CREATE OR REPLACE had dropped
// the old table; DROP TABLE dropped those that were there.
Changes AfterError(Changes changes, std::string_view text, const std::vector<Token>& tokens,
                   const DdlContext& context) {
  DdlChange& first = changes[0];
  if (first.kind == DdlKind::kCreateTable && first.or_replace && !first.temporary) {
    DdlChange drop = Change(DdlKind::kDropTable, "CREATE OR REPLACE TABLE");
    drop.table = first.table;
    drop.if_exists = true;
    return One(std::move(drop));
  }
  const bool as_it_says = first.kind == DdlKind::kDropTable || first.kind == DdlKind::kDropView ||
                          first.kind == DdlKind::kDataStatement || first.kind == DdlKind::kOther ||
                          first.temporary;
  if (as_it_says) return changes;
  const absl::Status problem =
      absl::AbortedError(fmt::format("it failed on the source with error {} half-way", context.error_code));
  return One(Unreadable(problem, text, tokens, context));
}

}  // namespace

DdlContext ContextOf(const binlog::LogStatement& statement, Dialect dialect, uint32_t version,
                     bool lower_case_names) {
  const binlog::StatementSettings& settings = statement.settings;
  DdlContext context;
  context.database = statement.database;
  context.error_code = statement.error_code;
  context.dialect = dialect;
  context.version = version;
  context.lower_case_names = lower_case_names;
  context.ansi_quotes = (settings.sql_mode & kAnsiQuotes) != 0;
  context.no_backslash_escapes = (settings.sql_mode & kNoBackslashEscapes) != 0;
  context.real_as_float = (settings.sql_mode & kRealAsFloat) != 0;
  context.strict = (settings.sql_mode & (kStrictTrans | kStrictAll)) != 0;
  context.oracle = dialect == Dialect::kMariaDb && (settings.sql_mode & kOracle) != 0;
  context.maxdb = (dialect == Dialect::kMariaDb || version < 80000) && (settings.sql_mode & kMaxDb) != 0;
  context.explicit_timestamps =
      settings.explicit_timestamps.value_or(version >= (dialect == Dialect::kMySql ? 80000u : 101000u));
  const std::string_view client = CharsetOfCollation(settings.client_collation);
  if (!client.empty()) context.client_charset = client;
  context.server_collation = CollationName(settings.server_collation);
  context.utf8mb4_collation = CollationName(settings.utf8mb4_collation);
  return context;
}

absl::StatusOr<std::vector<DdlChange>> ParseDdl(std::string_view statement, const DdlContext& context) {
  Arena arena(4096);
  std::string_view text = statement;
  const Charset* charset = Charset::Find(context.client_charset);
  // Bytes that are no text of the client's character set were kept by the server as they are.
  if (charset != nullptr && !charset->ToUtf8(statement, &arena, &text)) text = statement;
  std::vector<Token> tokens;
  const absl::Status tokenized = Tokenize(text, context, &tokens);
  if (!tokenized.ok() && tokens.size() < 2) return tokenized;
  Cursor cursor(tokens, context);
  if (tokenized.ok()) {
    absl::StatusOr<Changes> changes = ParseStatement(&cursor, tokens);
    if (changes.ok() && context.error_code != 0)
      return AfterError(*std::move(changes), text, tokens, context);
    if (changes.ok()) return changes;
    return One(Unreadable(changes.status(), text, tokens, context));
  }
  const bool other = cursor.IsWord("STATEMENT", 1) ? false : ConcernsNoTable(cursor);
  if (other) return One(Change(DdlKind::kOther, tokens[0].text));
  return One(Unreadable(tokenized, text, tokens, context));
}

}  // namespace hakobu::ddl
