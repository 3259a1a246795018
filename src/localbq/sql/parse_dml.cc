// https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax
#include <fmt/format.h>

#include <array>

#include "localbq/sql/parser.h"

namespace hakobu::localbq::sql {

ParsedStatement Parser::StatementBody() {
  Depth depth(*this);
  if (IsWord("SELECT") || IsWord("WITH") || IsSymbol("(")) {
    ParsedStatement statement;
    statement.query = ParseQuery();
    return statement;
  }
  if (IsWord("INSERT")) return Insert();
  if (IsWord("UPDATE")) return Update();
  if (IsWord("DELETE")) return Delete();
  if (IsWord("TRUNCATE")) return Truncate();
  if (IsWord("MERGE")) return Merge();
  if (IsWord("CREATE")) return Create();
  if (IsWord("DROP")) return Drop();
  if (IsWord("ALTER")) return Alter();
  ParsedStatement statement;
  if (IsWord("BEGIN") && (IsWord("TRANSACTION", 1) || IsSymbol(";", 1) || Ahead(1).kind == TokenKind::kEnd)) {
    ++cursor_;
    TakeWord("TRANSACTION");
    statement.kind = StatementKind::kBegin;
    return statement;
  }
  if (IsWord("COMMIT") || IsWord("ROLLBACK")) {
    statement.kind = IsWord("COMMIT") ? StatementKind::kCommit : StatementKind::kRollback;
    ++cursor_;
    TakeWord("TRANSACTION");
    return statement;
  }
  static constexpr std::array<std::string_view, 21> kRefused = {
      "DECLARE",  "SET",    "IF",   "WHILE",   "LOOP",   "FOR",    "REPEAT",
      "CASE",     "BEGIN",  "CALL", "EXECUTE", "RAISE",  "RETURN", "BREAK",
      "CONTINUE", "EXPORT", "LOAD", "GRANT",   "REVOKE", "ASSERT", "UNDROP"};
  for (std::string_view word : kRefused) {
    if (IsWord(word)) {
      Fail(Now().begin, fmt::format("Statement {} is not supported", word));
      return statement;
    }
  }
  Unexpected();
  return statement;
}

void Parser::Target(ParsedStatement& statement) {
  statement.target_at = Now().begin;
  statement.target = TablePath();
}

std::vector<ExpressionPtr> Parser::ValueRow() {
  std::vector<ExpressionPtr> row;
  ExpectSymbol("(");
  do {
    if (TakeWord("DEFAULT")) {
      row.push_back(nullptr);
    } else {
      row.push_back(Expr());
    }
  } while (TakeSymbol(","));
  ExpectSymbol(")");
  return row;
}

ParsedStatement Parser::Insert() {
  ParsedStatement statement;
  statement.kind = StatementKind::kInsert;
  ++cursor_;
  TakeWord("INTO");
  Target(statement);
  if (IsSymbol("(") && !IsWord("SELECT", 1) && !IsWord("WITH", 1) && !IsSymbol("(", 1))
    statement.columns = NameList();
  if (TakeWord("VALUES")) {
    do statement.rows.push_back(ValueRow());
    while (TakeSymbol(","));
  } else {
    statement.query = ParseQuery();
  }
  return statement;
}

std::vector<std::pair<std::vector<std::string>, ExpressionPtr>> Parser::Assignments() {
  std::vector<std::pair<std::vector<std::string>, ExpressionPtr>> set;
  do {
    if (IsSymbol("(")) {
      Fail(Now().begin, "Nested DML is not supported");
      break;
    }
    std::vector<std::string> path = Path();
    ExpectSymbol("=");
    if (TakeWord("DEFAULT")) {
      set.emplace_back(std::move(path), nullptr);
    } else {
      set.emplace_back(std::move(path), Expr());
    }
  } while (TakeSymbol(","));
  return set;
}

ParsedStatement Parser::Update() {
  ParsedStatement statement;
  statement.kind = StatementKind::kUpdate;
  size_t at = Now().begin;
  ++cursor_;
  Target(statement);
  statement.alias = Alias();
  ExpectWord("SET");
  statement.set = Assignments();
  if (TakeWord("FROM")) statement.from = From();
  if (TakeWord("WHERE")) statement.where = Expr();
  if (!Failed() && !statement.where) Fail(at, "UPDATE must have a WHERE clause");
  return statement;
}

ParsedStatement Parser::Delete() {
  ParsedStatement statement;
  statement.kind = StatementKind::kDelete;
  size_t at = Now().begin;
  ++cursor_;
  TakeWord("FROM");
  Target(statement);
  statement.alias = Alias();
  if (TakeWord("WHERE")) statement.where = Expr();
  if (!Failed() && !statement.where) {
    if (AtEnd() || IsSymbol(";")) {
      Fail(at, "DELETE must have a WHERE clause");
    } else {
      Unexpected();
    }
  }
  return statement;
}

ParsedStatement Parser::Truncate() {
  ParsedStatement statement;
  statement.kind = StatementKind::kTruncate;
  ++cursor_;
  ExpectWord("TABLE");
  Target(statement);
  return statement;
}

ParsedStatement Parser::Merge() {
  ParsedStatement statement;
  statement.kind = StatementKind::kMerge;
  ++cursor_;
  TakeWord("INTO");
  Target(statement);
  statement.alias = Alias();
  ExpectWord("USING");
  statement.from = FromPrimary();
  ExpectWord("ON");
  statement.where = Expr();
  while (!Failed() && IsWord("WHEN")) statement.clauses.push_back(When());
  if (!Failed() && statement.clauses.empty()) Unexpected("keyword WHEN");
  return statement;
}

MergeClause Parser::When() {
  using W = MergeClause::When;
  using A = MergeClause::Action;
  MergeClause clause;
  clause.at = Now().begin;
  ++cursor_;
  bool negated = TakeWord("NOT");
  ExpectWord("MATCHED");
  clause.when = !negated ? W::kMatched : W::kNotMatchedByTarget;
  if (negated && TakeWord("BY")) {
    if (TakeWord("SOURCE")) {
      clause.when = W::kNotMatchedBySource;
    } else if (!TakeWord("TARGET")) {
      Unexpected("keyword SOURCE or keyword TARGET");
    }
  }
  if (TakeWord("AND")) clause.condition = Expr();
  ExpectWord("THEN");
  bool insert = clause.when == W::kNotMatchedByTarget;
  clause.action = A::kDelete;
  if (insert && TakeWord("INSERT")) {
    clause.action = A::kInsert;
    if (IsSymbol("(")) clause.columns = NameList();
    if (clause.columns.empty() && TakeWord("ROW")) {
      clause.action = A::kInsertRow;
    } else if (TakeWord("ROW")) {
      clause.action = A::kInsertRow;
    } else {
      ExpectWord("VALUES");
      clause.values = ValueRow();
    }
  } else if (!insert && TakeWord("UPDATE")) {
    clause.action = A::kUpdate;
    ExpectWord("SET");
    clause.set = Assignments();
  } else if (!insert && TakeWord("DELETE")) {
  } else {
    Unexpected(insert ? "keyword INSERT" : "keyword DELETE or keyword UPDATE");
  }
  return clause;
}

}  // namespace hakobu::localbq::sql
