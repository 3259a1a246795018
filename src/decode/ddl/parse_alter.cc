// ALTER TABLE: a list of actions, in the order written.
#include "base/status.h"
#include "decode/ddl/cursor.h"

namespace hakobu::ddl {
namespace {

absl::StatusOr<Place> ParsePlace(Cursor* cursor) {
  Place place;
  if (cursor->Accept("FIRST")) place.kind = Place::Kind::kFirst;
  if (cursor->Accept("AFTER")) {
    place.kind = Place::Kind::kAfter;
    HAKOBU_ASSIGN_OR_RETURN(place.after, cursor->TakeName("a column's name"));
  }
  return place;
}

void SkipToEnd(Cursor* cursor) {
  while (!cursor->AtEnd()) cursor->Next();
}

absl::Status AddKeyElement(Cursor* cursor, std::vector<AlterAction>* actions) {
  HAKOBU_ASSIGN_OR_RETURN(TableElement element, ParseKeyElement(cursor));
  if (element.key) actions->push_back(AddKey{*std::move(element.key)});
  if (element.json_check) actions->push_back(AddJsonCheck{*std::move(element.json_check)});
  return absl::OkStatus();
}

// ADD (a INT, b INT, KEY (a))
absl::Status ParseAddList(Cursor* cursor, bool if_not_exists, std::vector<AlterAction>* actions) {
  HAKOBU_RETURN_IF_ERROR(cursor->ExpectSymbol('('));
  do {
    if (IsKeyElement(*cursor)) {
      HAKOBU_RETURN_IF_ERROR(AddKeyElement(cursor, actions));
      continue;
    }
    HAKOBU_ASSIGN_OR_RETURN(ColumnDefinition column, ParseColumn(cursor));
    actions->push_back(AddColumn{std::move(column), {}, if_not_exists});
  } while (cursor->AcceptSymbol(','));
  return cursor->ExpectSymbol(')');
}

absl::Status ParseAdd(Cursor* cursor, std::vector<AlterAction>* actions) {
  if (cursor->IsWord("PARTITION")) {  // a reserved word: no column of that name without quotes
    SkipToEnd(cursor);
    return absl::OkStatus();
  }
  if (cursor->AcceptAll({"SYSTEM", "VERSIONING"})) {
    actions->push_back(SystemVersioning{true});
    return absl::OkStatus();
  }
  if (IsKeyElement(*cursor)) return AddKeyElement(cursor, actions);
  cursor->Accept("COLUMN");
  const bool if_not_exists = cursor->AcceptIfNotExists();
  if (cursor->IsSymbol('(')) return ParseAddList(cursor, if_not_exists, actions);
  HAKOBU_ASSIGN_OR_RETURN(ColumnDefinition column, ParseColumn(cursor));
  HAKOBU_ASSIGN_OR_RETURN(Place place, ParsePlace(cursor));
  actions->push_back(AddColumn{std::move(column), std::move(place), if_not_exists});
  return absl::OkStatus();
}

absl::Status ParseDrop(Cursor* cursor, std::vector<AlterAction>* actions) {
  if (cursor->AcceptAll({"PRIMARY", "KEY"})) {
    actions->push_back(DropKey{"PRIMARY"});
    return absl::OkStatus();
  }
  if (cursor->AcceptAll({"SYSTEM", "VERSIONING"})) {
    actions->push_back(SystemVersioning{false});
    return absl::OkStatus();
  }
  if (cursor->IsWord("PARTITION") && cursor->IsName(1)) {
    actions->push_back(PartitionData{PartitionData::Kind::kDrop, {}});
    SkipToEnd(cursor);
    return absl::OkStatus();
  }
  if (cursor->AcceptAll({"PERIOD", "FOR"})) {
    cursor->Next();
    return absl::OkStatus();
  }
  if (cursor->AcceptAll({"FOREIGN", "KEY"}) || cursor->Accept("CHECK")) {
    cursor->AcceptIfExists();
    return cursor->TakeName("a constraint's name").status();
  }
  // A constraint may be a unique key; where it is none, no key has its name but by accident.
  if (cursor->AcceptAny({"INDEX", "KEY", "CONSTRAINT"})) {
    cursor->AcceptIfExists();
    if (cursor->AcceptAll({"PRIMARY", "KEY"})) {
      actions->push_back(DropKey{"PRIMARY"});
      return absl::OkStatus();
    }
    HAKOBU_ASSIGN_OR_RETURN(std::string name, cursor->TakeName("an index's name"));
    actions->push_back(DropKey{std::move(name)});
    return absl::OkStatus();
  }
  cursor->Accept("COLUMN");
  DropColumn drop;
  drop.if_exists = cursor->AcceptIfExists();
  HAKOBU_ASSIGN_OR_RETURN(drop.name, cursor->TakeName("a column's name"));
  cursor->AcceptAny({"RESTRICT", "CASCADE"});
  actions->push_back(std::move(drop));
  return absl::OkStatus();
}

absl::Status ParseModify(Cursor* cursor, bool change, std::vector<AlterAction>* actions) {
  cursor->Accept("COLUMN");
  ChangeColumn action;
  action.if_exists = cursor->AcceptIfExists();
  if (change) {
    HAKOBU_ASSIGN_OR_RETURN(action.name, cursor->TakeName("a column's name"));
  }
  HAKOBU_ASSIGN_OR_RETURN(action.column, ParseColumn(cursor));
  if (!change) action.name = action.column.name;
  HAKOBU_ASSIGN_OR_RETURN(action.place, ParsePlace(cursor));
  actions->push_back(std::move(action));
  return absl::OkStatus();
}

absl::Status ParseAlterIndex(Cursor* cursor, std::vector<AlterAction>* actions) {
  cursor->AcceptIfExists();
  SetKeyVisibility action;
  HAKOBU_ASSIGN_OR_RETURN(action.name, cursor->TakeName("an index's name"));
  const bool is_not = cursor->Accept("NOT");
  if (cursor->Accept("IGNORED")) {
    action.visible = is_not;
  } else if (cursor->AcceptAny({"VISIBLE", "INVISIBLE"})) {
    cursor->MoveTo(cursor->place() - 1);
    action.visible = cursor->IsWord("VISIBLE");
    cursor->Next();
  } else {
    return cursor->Unexpected("VISIBLE, INVISIBLE or IGNORED");
  }
  actions->push_back(std::move(action));
  return absl::OkStatus();
}

// ALTER within ALTER TABLE.
absl::Status ParseAlterPart(Cursor* cursor, std::vector<AlterAction>* actions) {
  if (cursor->AcceptAny({"INDEX", "KEY"})) return ParseAlterIndex(cursor, actions);
  if (cursor->AcceptAny({"CHECK", "CONSTRAINT"})) {
    HAKOBU_RETURN_IF_ERROR(cursor->TakeName("a constraint's name").status());
    cursor->Accept("NOT");
    return cursor->Expect("ENFORCED");
  }
  cursor->Accept("COLUMN");
  cursor->AcceptIfExists();
  HAKOBU_ASSIGN_OR_RETURN(std::string column, cursor->TakeName("a column's name"));
  if (cursor->AcceptAll({"DROP", "DEFAULT"})) return absl::OkStatus();
  HAKOBU_RETURN_IF_ERROR(cursor->Expect("SET"));
  if (cursor->AcceptAny({"VISIBLE", "INVISIBLE"})) {
    cursor->MoveTo(cursor->place() - 1);
    actions->push_back(SetVisibility{std::move(column), cursor->IsWord("VISIBLE")});
    cursor->Next();
    return absl::OkStatus();
  }
  HAKOBU_RETURN_IF_ERROR(cursor->Expect("DEFAULT"));
  while (!cursor->AtEnd() && !cursor->IsSymbol(',')) {
    if (cursor->IsSymbol('(')) {
      HAKOBU_RETURN_IF_ERROR(cursor->SkipParentheses());
    } else {
      cursor->Next();
    }
  }
  return absl::OkStatus();
}

absl::Status ParseRename(Cursor* cursor, std::vector<AlterAction>* actions) {
  const bool column = cursor->IsWord("COLUMN") && cursor->IsName(1);
  const bool index = cursor->IsAnyWord({"INDEX", "KEY"}) && cursor->IsName(1);
  if (!column && !index) {
    if (!cursor->AcceptAny({"TO", "AS"})) cursor->AcceptSymbol('=');
    HAKOBU_ASSIGN_OR_RETURN(TableName name, cursor->TakeTableName());
    actions->push_back(RenameTo{std::move(name)});
    return absl::OkStatus();
  }
  cursor->Next();
  cursor->AcceptIfExists();
  HAKOBU_ASSIGN_OR_RETURN(std::string from, cursor->TakeName("a name"));
  HAKOBU_RETURN_IF_ERROR(cursor->Expect("TO"));
  HAKOBU_ASSIGN_OR_RETURN(std::string to, cursor->TakeName("a name"));
  if (column) {
    actions->push_back(RenameColumn{std::move(from), std::move(to)});
  } else {
    actions->push_back(RenameKey{std::move(from), std::move(to)});
  }
  return absl::OkStatus();
}

absl::Status ParseConvert(Cursor* cursor, std::vector<AlterAction>* actions) {
  if (cursor->Accept("PARTITION")) {
    cursor->Next();
    HAKOBU_RETURN_IF_ERROR(cursor->Expect("TO"));
    HAKOBU_RETURN_IF_ERROR(cursor->Expect("TABLE"));
    HAKOBU_ASSIGN_OR_RETURN(TableName other, cursor->TakeTableName());
    actions->push_back(PartitionData{PartitionData::Kind::kConvertOut, std::move(other)});
    SkipToEnd(cursor);
    return absl::OkStatus();
  }
  if (cursor->Accept("TABLE")) {
    HAKOBU_ASSIGN_OR_RETURN(TableName other, cursor->TakeTableName());
    actions->push_back(PartitionData{PartitionData::Kind::kConvertIn, std::move(other)});
    SkipToEnd(cursor);
    return absl::OkStatus();
  }
  HAKOBU_RETURN_IF_ERROR(cursor->Expect("TO"));
  if (!cursor->Accept("CHARSET") && !cursor->AcceptAll({"CHARACTER", "SET"}) &&
      !cursor->AcceptAll({"CHAR", "SET"})) {
    return cursor->Unexpected("CHARACTER SET");
  }
  ConvertCharset action;
  if (!cursor->Accept("DEFAULT")) {
    HAKOBU_ASSIGN_OR_RETURN(action.charset, cursor->TakeOptionValue("a character set"));
  }
  if (cursor->Accept("COLLATE")) {
    cursor->AcceptSymbol('=');
    HAKOBU_ASSIGN_OR_RETURN(action.collation, cursor->TakeOptionValue("a collation"));
  }
  actions->push_back(std::move(action));
  return absl::OkStatus();
}

// EXCHANGE PARTITION p WITH TABLE t
absl::Status ParseExchange(Cursor* cursor, std::vector<AlterAction>* actions) {
  HAKOBU_RETURN_IF_ERROR(cursor->TakeName("a partition's name").status());
  HAKOBU_RETURN_IF_ERROR(cursor->Expect("WITH"));
  HAKOBU_RETURN_IF_ERROR(cursor->Expect("TABLE"));
  HAKOBU_ASSIGN_OR_RETURN(TableName other, cursor->TakeTableName());
  actions->push_back(PartitionData{PartitionData::Kind::kExchange, std::move(other)});
  SkipToEnd(cursor);
  return absl::OkStatus();
}

// Partition operations stand alone and end the statement. False when none begins here.
absl::StatusOr<bool> ParsePartitionAction(Cursor* cursor, std::vector<AlterAction>* actions) {
  if (cursor->AcceptAll({"TRUNCATE", "PARTITION"})) {
    actions->push_back(PartitionData{PartitionData::Kind::kTruncate, {}});
  } else if (cursor->AcceptAll({"EXCHANGE", "PARTITION"})) {
    HAKOBU_RETURN_IF_ERROR(ParseExchange(cursor, actions));
  } else if (cursor->AcceptAny({"DISCARD", "IMPORT"})) {
    actions->push_back(PartitionData{PartitionData::Kind::kDiscardOrImport, {}});
  } else if (!cursor->AcceptAny({"COALESCE", "REORGANIZE", "ANALYZE", "CHECK", "OPTIMIZE", "REBUILD",
                                 "REPAIR", "REMOVE", "PARTITION", "UPGRADE", "SECONDARY_LOAD",
                                 "SECONDARY_UNLOAD"})) {
    return false;
  }
  SkipToEnd(cursor);
  return true;
}

absl::Status SkipOrderBy(Cursor* cursor) {
  do {
    HAKOBU_RETURN_IF_ERROR(cursor->TakeName("a column's name").status());
    while (cursor->AcceptSymbol('.')) cursor->Next();
    cursor->AcceptAny({"ASC", "DESC"});
  } while (cursor->AcceptSymbol(','));
  return absl::OkStatus();
}

// What changes neither columns, keys nor rows. False when none begins here.
bool SkipHarmless(Cursor* cursor) {
  if (cursor->AcceptAny({"ALGORITHM", "LOCK"})) {
    cursor->AcceptSymbol('=');
    cursor->Next();
    return true;
  }
  if (cursor->Accept("WAIT")) {
    cursor->Next();
    return true;
  }
  return cursor->AcceptAny({"FORCE", "NOWAIT"}) || cursor->AcceptAll({"ENABLE", "KEYS"}) ||
         cursor->AcceptAll({"DISABLE", "KEYS"}) || cursor->AcceptAll({"WITH", "VALIDATION"}) ||
         cursor->AcceptAll({"WITHOUT", "VALIDATION"});
}

absl::Status ParseAction(Cursor* cursor, std::vector<AlterAction>* actions) {
  if (SkipHarmless(cursor)) return absl::OkStatus();
  if (cursor->Accept("ADD")) return ParseAdd(cursor, actions);
  if (cursor->Accept("DROP")) return ParseDrop(cursor, actions);
  if (cursor->Accept("MODIFY")) return ParseModify(cursor, false, actions);
  if (cursor->Accept("CHANGE")) return ParseModify(cursor, true, actions);
  if (cursor->Accept("ALTER")) return ParseAlterPart(cursor, actions);
  if (cursor->Accept("RENAME")) return ParseRename(cursor, actions);
  if (cursor->Accept("CONVERT")) return ParseConvert(cursor, actions);
  if (cursor->AcceptAll({"ORDER", "BY"})) return SkipOrderBy(cursor);
  SetOptions options;
  HAKOBU_ASSIGN_OR_RETURN(const bool option, ParseTableOption(cursor, &options.options));
  if (option) {
    actions->push_back(std::move(options));
    return absl::OkStatus();
  }
  HAKOBU_ASSIGN_OR_RETURN(const bool partition, ParsePartitionAction(cursor, actions));
  return partition ? absl::OkStatus() : cursor->Unexpected("what to alter");
}

}  // namespace

absl::Status ParseAlterTable(Cursor* cursor, DdlChange* change) {
  change->if_exists = cursor->AcceptIfExists();
  HAKOBU_ASSIGN_OR_RETURN(change->table, cursor->TakeTableName());
  while (!cursor->AtEnd()) {
    HAKOBU_RETURN_IF_ERROR(ParseAction(cursor, &change->actions));
    cursor->AcceptSymbol(',');
  }
  return absl::OkStatus();
}

}  // namespace hakobu::ddl
