// https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language
#include <fmt/format.h>

#include "localbq/sql/parser.h"

namespace hakobu::localbq::sql {

bool Parser::IfExists() {
  return TakeWords({"IF", "EXISTS"});
}
bool Parser::IfNotExists() {
  return TakeWords({"IF", "NOT", "EXISTS"});
}

std::vector<ParsedOption> Parser::Options() {
  std::vector<ParsedOption> options;
  ExpectWord("OPTIONS");
  ExpectSymbol("(");
  while (!AtEnd() && !IsSymbol(")")) {
    ParsedOption option;
    option.name = Lower(Name());
    ExpectSymbol("=");
    option.value = Expr();
    options.push_back(std::move(option));
    if (!TakeSymbol(",")) break;
  }
  ExpectSymbol(")");
  return options;
}

ParsedStatement Parser::Create() {
  ParsedStatement statement;
  ++cursor_;
  statement.or_replace = TakeWords({"OR", "REPLACE"});
  if (TakeWord("SCHEMA") || TakeWord("DATASET")) {
    statement.kind = StatementKind::kCreateSchema;
    statement.if_not_exists = IfNotExists();
    Target(statement);
    if (IsWord("DEFAULT")) Fail(Now().begin, "DEFAULT COLLATE is not supported");
    if (IsWord("OPTIONS")) statement.options = Options();
    return statement;
  }
  if (TakeWord("TABLE")) {
    statement.kind = StatementKind::kCreateTable;
    CreateTable(statement);
    return statement;
  }
  if (TakeWord("VIEW")) {
    statement.kind = StatementKind::kCreateView;
    CreateView(statement);
    return statement;
  }
  std::string what = AtEnd() ? "" : Upper(Now().text);
  if (AtEnd() || Now().kind != TokenKind::kIdentifier) {
    Unexpected();
  } else {
    Fail(Now().begin, fmt::format("CREATE {} is not supported", what));
  }
  return statement;
}

void Parser::CreateTable(ParsedStatement& statement) {
  statement.if_not_exists = IfNotExists();
  Target(statement);
  if (TakeSymbol("(")) {
    statement.has_definitions = true;
    while (!AtEnd() && !IsSymbol(")")) {
      TableElement(statement);
      if (!TakeSymbol(",")) break;
    }
    ExpectSymbol(")");
  }
  if (TakeWord("LIKE")) {
    statement.like = TablePath();
  } else if (TakeWord("COPY") || TakeWord("CLONE")) {
    statement.like = TablePath();
    statement.copy = true;
    if (IsWord("FOR")) Fail(Now().begin, "FOR SYSTEM_TIME AS OF is not supported");
  }
  if (TakeWords({"DEFAULT", "COLLATE"})) Fail(Now().begin, "DEFAULT COLLATE is not supported");
  if (TakeWord("PARTITION")) {
    ExpectWord("BY");
    statement.partition = Expr();
  }
  if (TakeWord("CLUSTER")) {
    ExpectWord("BY");
    do statement.clustering.push_back(Name());
    while (TakeSymbol(","));
  }
  if (IsWord("WITH") && IsWord("CONNECTION", 1)) Fail(Now().begin, "WITH CONNECTION is not supported");
  if (IsWord("OPTIONS")) statement.options = Options();
  if (TakeWord("AS")) {
    statement.kind = StatementKind::kCreateTableAsSelect;
    statement.query_begin = Now().begin;
    statement.query = ParseQuery();
  }
  if (!Failed() && !statement.query && !statement.has_definitions && statement.like.empty()) {
    Fail(statement.target_at, "CREATE TABLE needs a column list, LIKE, COPY or AS SELECT");
  }
}

void Parser::CreateView(ParsedStatement& statement) {
  statement.if_not_exists = IfNotExists();
  Target(statement);
  if (IsSymbol("(")) {
    ++cursor_;
    do {
      statement.columns.push_back(Name());
      if (IsWord("OPTIONS")) Options();
    } while (TakeSymbol(","));
    ExpectSymbol(")");
  }
  if (IsWord("OPTIONS")) statement.options = Options();
  ExpectWord("AS");
  statement.query_begin = Now().begin;
  statement.query = ParseQuery();
  statement.query_end = cursor_ > 0 ? tokens_[cursor_ - 1].end : 0;
}

void Parser::NotEnforced() {
  if (!TakeWords({"NOT", "ENFORCED"})) Unexpected("keyword NOT ENFORCED");
}

void Parser::TableElement(ParsedStatement& statement) {
  if (IsWord("PRIMARY") && IsWord("KEY", 1)) return Constraint(statement, "");
  if (IsWord("FOREIGN") && IsWord("KEY", 1)) return Constraint(statement, "");
  if (IsWord("CONSTRAINT") && AtName(1)) {
    ++cursor_;
    bool optional = IfNotExists();
    static_cast<void>(optional);
    std::string name = Name();
    return Constraint(statement, name);
  }
  ParsedColumn column = ColumnDefinition();
  if (column.primary_key) statement.primary_key.push_back(column.column.name);
  statement.definitions.push_back(std::move(column));
}

void Parser::Constraint(ParsedStatement& statement, const std::string& name) {
  if (TakeWords({"PRIMARY", "KEY"})) {
    if (!statement.primary_key.empty()) Fail(Now().begin, "Multiple primary keys are not allowed");
    statement.primary_key = NameList();
    NotEnforced();
  } else if (IsWord("FOREIGN")) {
    std::vector<std::string> path;
    ForeignKey key = Foreign(path);
    key.name = name;
    statement.foreign_keys.push_back(std::move(key));
    statement.foreign_paths.push_back(std::move(path));
  } else {
    Unexpected("keyword PRIMARY or keyword FOREIGN");
  }
}

ForeignKey Parser::Foreign(std::vector<std::string>& path) {
  ForeignKey key;
  ExpectWord("FOREIGN");
  ExpectWord("KEY");
  key.columns = NameList();
  ExpectWord("REFERENCES");
  path = TablePath();
  key.referenced_columns = NameList();
  NotEnforced();
  return key;
}

ParsedColumn Parser::ColumnDefinition() {
  ParsedColumn parsed;
  parsed.at = Now().begin;
  std::string name = Name();
  parsed.column = TypeName();
  parsed.column.name = name;
  for (bool more = true; more && !Failed();) {
    more = false;
    if (TakeWords({"NOT", "NULL"})) {
      if (parsed.column.mode != Mode::kRepeated) parsed.column.mode = Mode::kRequired;
      more = true;
    } else if (TakeWords({"PRIMARY", "KEY"})) {
      parsed.primary_key = true;
      NotEnforced();
      more = true;
    } else if (TakeWord("DEFAULT")) {
      size_t begin = Now().begin;
      parsed.default_value = Expr();
      parsed.column.default_expression =
          Failed() ? "" : std::string(sql_.substr(begin, tokens_[cursor_ - 1].end - begin));
      more = true;
    } else if (IsWord("OPTIONS")) {
      parsed.options = Options();
      more = true;
    } else if (TakeWord("COLLATE")) {
      parsed.column.collation = StringLiteral();
      if (!parsed.column.collation.empty()) Fail(Now().begin, "COLLATE is not supported");
      more = true;
    }
  }
  for (const ParsedOption& option : parsed.options) {
    const Expression& value = *option.value;
    if (option.name == "description" && value.kind == ExpressionKind::kString)
      parsed.column.description = value.text;
    if (option.name == "rounding_mode" && value.kind == ExpressionKind::kString) {
      parsed.column.rounding_mode = value.text;
    }
  }
  return parsed;
}

ParsedStatement Parser::Drop() {
  ParsedStatement statement;
  ++cursor_;
  if (TakeWord("SCHEMA") || TakeWord("DATASET")) {
    statement.kind = StatementKind::kDropSchema;
  } else if (TakeWord("TABLE")) {
    statement.kind = StatementKind::kDropTable;
  } else if (TakeWord("VIEW")) {
    statement.kind = StatementKind::kDropView;
  } else if (Now().kind == TokenKind::kIdentifier) {
    Fail(Now().begin, fmt::format("DROP {} is not supported", Upper(Now().text)));
    return statement;
  } else {
    Unexpected();
  }
  statement.if_exists = IfExists();
  Target(statement);
  if (statement.kind == StatementKind::kDropSchema) {
    statement.cascade = TakeWord("CASCADE");
    if (!statement.cascade) TakeWord("RESTRICT");
  }
  return statement;
}

ParsedStatement Parser::Alter() {
  ParsedStatement statement;
  ++cursor_;
  if (TakeWord("TABLE")) {
    statement.kind = StatementKind::kAlterTable;
  } else if (TakeWord("VIEW")) {
    statement.kind = StatementKind::kAlterView;
  } else if (TakeWord("SCHEMA") || TakeWord("DATASET")) {
    statement.kind = StatementKind::kAlterSchema;
  } else if (Now().kind == TokenKind::kIdentifier) {
    Fail(Now().begin, fmt::format("ALTER {} is not supported", Upper(Now().text)));
    return statement;
  } else {
    Unexpected();
  }
  statement.if_exists = IfExists();
  Target(statement);
  if (statement.kind != StatementKind::kAlterTable) {
    ExpectWord("SET");
    statement.options = Options();
    return statement;
  }
  do statement.alters.push_back(AlterTableAction());
  while (TakeSymbol(","));
  return statement;
}

ParsedAlter Parser::AlterTableAction() {
  ParsedAlter alter;
  AlterAction& action = alter.action;
  action.kind = AlterKind::kSetOptions;
  if (TakeWord("ADD")) return AddAction();
  if (TakeWord("SET")) {
    if (TakeWords({"DEFAULT", "COLLATE"})) Fail(Now().begin, "DEFAULT COLLATE is not supported");
    alter.options = Options();
  } else if (TakeWords({"DROP", "PRIMARY", "KEY"})) {
    action.kind = AlterKind::kDropPrimaryKey;
    action.if_exists = IfExists();
  } else if (TakeWords({"DROP", "CONSTRAINT"})) {
    action.kind = AlterKind::kDropConstraint;
    action.if_exists = IfExists();
    action.column = Name();
  } else if (TakeWords({"DROP", "COLUMN"})) {
    action.kind = AlterKind::kDropColumn;
    action.if_exists = IfExists();
    action.column = Name();
  } else if (TakeWords({"RENAME", "TO"})) {
    action.kind = AlterKind::kRenameTable;
    action.text = Name();
  } else if (TakeWords({"RENAME", "COLUMN"})) {
    action.kind = AlterKind::kRenameColumn;
    action.if_exists = IfExists();
    action.column = Name();
    ExpectWord("TO");
    action.text = Name();
  } else if (TakeWords({"ALTER", "COLUMN"})) {
    AlterColumn(alter);
  } else {
    Unexpected();
  }
  return alter;
}

void Parser::AlterColumn(ParsedAlter& alter) {
  AlterAction& action = alter.action;
  action.if_exists = IfExists();
  std::vector<std::string> path = Path();
  for (const std::string& name : path) action.column += (action.column.empty() ? "" : ".") + name;
  if (TakeWords({"DROP", "NOT", "NULL"})) {
    action.kind = AlterKind::kDropNotNull;
  } else if (TakeWords({"DROP", "DEFAULT"})) {
    action.kind = AlterKind::kDropDefault;
  } else if (TakeWords({"SET", "DATA", "TYPE"})) {
    action.kind = AlterKind::kSetDataType;
    alter.column.column = TypeName();
    alter.column.column.name = action.column;
  } else if (TakeWords({"SET", "DEFAULT"})) {
    action.kind = AlterKind::kSetDefault;
    size_t begin = Now().begin;
    alter.default_value = Expr();
    if (!Failed()) action.text = std::string(sql_.substr(begin, tokens_[cursor_ - 1].end - begin));
  } else if (TakeWord("SET")) {
    action.kind = AlterKind::kSetColumnOptions;
    alter.options = Options();
  } else {
    Unexpected();
  }
}

ParsedAlter Parser::AddAction() {
  ParsedAlter alter;
  AlterAction& action = alter.action;
  action.kind = AlterKind::kAddColumn;
  if (TakeWord("COLUMN")) {
    action.if_exists = IfNotExists();
    alter.column = ColumnDefinition();
    action.column = alter.column.column.name;
    return alter;
  }
  std::string name;
  if (TakeWord("CONSTRAINT")) {
    action.if_exists = IfNotExists();
    name = Name();
  }
  if (TakeWords({"PRIMARY", "KEY"})) {
    action.kind = AlterKind::kAddPrimaryKey;
    action.key = NameList();
    NotEnforced();
  } else if (IsWord("FOREIGN")) {
    action.kind = AlterKind::kAddForeignKey;
    std::vector<std::string> path;
    action.foreign_key = Foreign(path);
    action.foreign_key.name = name;
    action.key = path;
  } else {
    Unexpected();
  }
  return alter;
}

}  // namespace hakobu::localbq::sql
