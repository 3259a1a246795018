// https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax
#include <fmt/format.h>

#include <charconv>
#include <span>

#include "localbq/sql/parser.h"

namespace hakobu::localbq::sql {

QueryPtr Parser::ParseQuery() {
  Depth depth(*this);
  std::vector<CommonTable> with;
  bool recursive = false;
  size_t at = Now().begin;
  if (TakeWord("WITH")) {
    recursive = TakeWord("RECURSIVE");
    do {
      CommonTable table;
      table.at = Now().begin;
      table.name = Name();
      ExpectWord("AS");
      ExpectSymbol("(");
      table.query = ParseQuery();
      ExpectSymbol(")");
      with.push_back(std::move(table));
    } while (TakeSymbol(","));
  }
  QueryPtr query = SetOperations();
  if (!with.empty() && !query->with.empty()) {
    auto outer = std::make_unique<Query>();
    outer->nested = std::move(query);
    query = std::move(outer);
  }
  query->at = at;
  if (!with.empty()) {
    query->with = std::move(with);
    query->recursive = recursive;
  }
  if (IsWord("ORDER")) query->order = OrderBy();
  if (TakeWord("LIMIT")) {
    query->limit = Expr();
    if (TakeWord("OFFSET")) query->offset = Expr();
  }
  if (IsWord("FOR")) Fail(Now().begin, "FOR UPDATE is not supported");
  return query;
}

namespace {

// Unions and intersections as a balanced tree, so that many are not deep: all but the last, which may be the
// recursive term, on one side. What remains of EXCEPT hangs on its order.
QueryPtr Grouped(std::span<QueryPtr> queries, std::span<QueryPtr> operators, bool outermost) {
  if (queries.size() == 1) return std::move(queries[0]);
  const bool ordered = operators[0]->set_operator == "EXCEPT";
  const size_t left = outermost || ordered ? queries.size() - 1 : queries.size() / 2;
  QueryPtr both = std::move(operators[left - 1]);
  both->left = Grouped(queries.first(left), operators.first(left - 1), ordered);
  both->right = Grouped(queries.subspan(left), operators.subspan(left), ordered);
  return both;
}

}  // namespace

QueryPtr Parser::SetOperations() {
  constexpr int kMostSetOperations = 2000;
  std::vector<QueryPtr> queries, operators;
  queries.push_back(QueryPrimary());
  while (!Failed() && (IsWord("UNION") || IsWord("INTERSECT") || IsWord("EXCEPT"))) {
    size_t at = Now().begin;
    std::string word = Upper(tokens_[cursor_++].text);
    bool all = TakeWord("ALL");
    if (!all && !TakeWord("DISTINCT")) Unexpected("keyword ALL or keyword DISTINCT");
    if (all && word != "UNION") Fail(at, word + " ALL is not supported");
    std::string op = all ? word + " ALL" : word;
    if (!operators.empty() && operators.back()->set_operator != op) {
      Fail(at,
           "Syntax error: Different set operations cannot be used in the same query without using "
           "parentheses for "
           "grouping");
    }
    if (IsWord("BY") || IsWord("CORRESPONDING") || IsWord("STRICT")) {
      Fail(Now().begin, Upper(Now().text) + " of set operations is not supported");
    }
    if (++set_operations_ > kMostSetOperations) Fail(at, kTooComplex);
    if (op == "EXCEPT") Link(at);
    auto both = std::make_unique<Query>();
    both->at = at;
    both->set_operator = op;
    operators.push_back(std::move(both));
    queries.push_back(QueryPrimary());
  }
  return Grouped(queries, operators, true);
}

QueryPtr Parser::QueryPrimary() {
  Depth depth(*this);
  auto query = std::make_unique<Query>();
  query->at = Now().begin;
  if (TakeSymbol("(")) {
    query->nested = ParseQuery();
    ExpectSymbol(")");
  } else if (IsWord("SELECT")) {
    query->select = ParseSelect();
  } else {
    Unexpected("\"(\" or keyword SELECT or keyword WITH");
    query->select = std::make_unique<Select>();
  }
  if (IsSymbol("|") && IsSymbol(">", 1)) Fail(Now().begin, "Pipe syntax is not supported");
  return query;
}

std::unique_ptr<Select> Parser::ParseSelect() {
  auto select = std::make_unique<Select>();
  select->at = Now().begin;
  ExpectWord("SELECT");
  if (TakeWords({"WITH", "DIFFERENTIAL_PRIVACY"})) Fail(select->at, "DIFFERENTIAL_PRIVACY is not supported");
  select->distinct = TakeWord("DISTINCT");
  if (!select->distinct) TakeWord("ALL");
  if (IsWord("AS") && (IsWord("STRUCT", 1) || IsWord("VALUE", 1))) {
    select->as_struct = IsWord("STRUCT", 1);
    select->as_value = !select->as_struct;
    cursor_ += 2;
  }
  do {
    if (!select->items.empty() && (AtEnd() || IsWord("FROM") || IsSymbol(")"))) break;  // a trailing comma
    select->items.push_back(Item());
  } while (TakeSymbol(","));
  if (TakeWord("FROM")) select->from = From();
  if (TakeWord("WHERE")) select->where = Expr();
  if (TakeWord("GROUP")) GroupBy(*select);
  if (TakeWord("HAVING")) select->having = Expr();
  if (TakeWord("QUALIFY")) select->qualify = Expr();
  if (TakeWord("WINDOW")) {
    do {
      std::string name = Name();
      ExpectWord("AS");
      select->windows.emplace_back(name, WindowBody());
    } while (TakeSymbol(","));
  }
  return select;
}

SelectItem Parser::Item() {
  SelectItem item;
  item.at = Now().begin;
  if (TakeSymbol("*")) {
    item.star = true;
    StarTail(item);
    return item;
  }
  item.expression = Expr();
  if (IsSymbol(".") && IsSymbol("*", 1)) {
    cursor_ += 2;
    item.star = true;
    StarTail(item);
    return item;
  }
  item.alias = Alias();
  return item;
}

void Parser::StarTail(SelectItem& item) {
  if (IsWord("EXCEPT") && IsSymbol("(", 1)) {
    ++cursor_;
    item.except = NameList();
  }
  if (IsWord("REPLACE") && IsSymbol("(", 1)) {
    cursor_ += 2;
    do {
      ExpressionPtr expression = Expr();
      TakeWord("AS");
      item.replace.emplace_back(std::move(expression), Name());
    } while (TakeSymbol(","));
    ExpectSymbol(")");
  }
}

void Parser::GroupBy(Select& select) {
  ExpectWord("BY");
  select.group = GroupKind::kExpressions;
  if (TakeWord("ALL")) {
    select.group = GroupKind::kAll;
    return;
  }
  bool parenthesised = false;
  if (IsWord("ROLLUP") && IsSymbol("(", 1)) {
    select.group = GroupKind::kRollup;
    parenthesised = true;
    cursor_ += 2;
  } else if (IsWord("CUBE") && IsSymbol("(", 1)) {
    select.group = GroupKind::kCube;
    parenthesised = true;
    cursor_ += 2;
  } else if (IsWord("GROUPING") && IsWord("SETS", 1)) {
    Fail(Now().begin, "GROUPING SETS is not supported");
  }
  do select.group_by.push_back(Expr());
  while (TakeSymbol(","));
  if (parenthesised) ExpectSymbol(")");
}

FromPtr Parser::From() {
  FromPtr left = Joined(FromPrimary());
  while (!Failed() && TakeSymbol(",")) {
    auto both = std::make_unique<FromItem>();
    both->kind = FromKind::kJoin;
    both->join = JoinKind::kComma;
    both->left = std::move(left);
    both->right = FromPrimary();
    Link(Now().begin);
    left = Joined(std::move(both));
  }
  return left;
}

FromPtr Parser::Joined(FromPtr left) {
  JoinKind kind;
  while (!Failed() && JoinWords(kind)) {
    auto join = std::make_unique<FromItem>();
    join->at = Now().begin;
    join->kind = FromKind::kJoin;
    join->join = kind;
    join->left = std::move(left);
    join->right = FromPrimary();
    FromTail(*join);
    Link(join->at);
    left = std::move(join);
  }
  return left;
}

bool Parser::JoinWords(JoinKind& kind) {
  auto take = [&](std::initializer_list<std::string_view> words, JoinKind found) {
    if (!TakeWords(words)) return false;
    kind = found;
    return true;
  };
  return take({"JOIN"}, JoinKind::kInner) || take({"INNER", "JOIN"}, JoinKind::kInner) ||
         take({"LEFT", "JOIN"}, JoinKind::kLeft) || take({"LEFT", "OUTER", "JOIN"}, JoinKind::kLeft) ||
         take({"RIGHT", "JOIN"}, JoinKind::kRight) || take({"RIGHT", "OUTER", "JOIN"}, JoinKind::kRight) ||
         take({"FULL", "JOIN"}, JoinKind::kFull) || take({"FULL", "OUTER", "JOIN"}, JoinKind::kFull) ||
         take({"CROSS", "JOIN"}, JoinKind::kCross);
}

void Parser::FromTail(FromItem& item) {
  if (TakeWord("ON")) {
    item.on = Expr();
  } else if (TakeWord("USING")) {
    item.using_columns = NameList();
  } else if (item.join != JoinKind::kCross && item.right->kind != FromKind::kUnnest &&
             !(item.right->kind == FromKind::kTable && item.join == JoinKind::kInner)) {
    Unexpected("keyword ON or keyword USING");
  }
}

FromPtr Parser::FromPrimary() {
  Depth depth(*this);
  auto item = std::make_unique<FromItem>();
  item->at = Now().begin;
  if (TakeWord("UNNEST")) {
    item->kind = FromKind::kUnnest;
    ExpectSymbol("(");
    item->array = Expr();
    ExpectSymbol(")");
    item->alias = Alias();
  } else if (IsSymbol("(")) {
    ++cursor_;
    if (IsWord("SELECT") || IsWord("WITH") || (IsSymbol("(") && (IsWord("SELECT", 1) || IsWord("WITH", 1)))) {
      item->kind = FromKind::kQuery;
      item->query = ParseQuery();
      ExpectSymbol(")");
      item->alias = Alias();
    } else {
      FromPtr inner = From();
      ExpectSymbol(")");
      return inner;
    }
  } else {
    item->path = TablePath();
    if (IsSymbol("(")) {
      Fail(item->at, fmt::format("Table-valued function not found: {}", item->path.back()));
      return item;
    }
    if (IsWord("FOR") && IsWord("SYSTEM_TIME", 1))
      Fail(Now().begin, "FOR SYSTEM_TIME AS OF is not supported");
    item->alias = Alias();
    if (IsWord("FOR") && IsWord("SYSTEM_TIME", 1))
      Fail(Now().begin, "FOR SYSTEM_TIME AS OF is not supported");
  }
  if (TakeWords({"WITH", "OFFSET"})) {
    item->with_offset = true;
    item->offset_alias = Alias();
    if (item->offset_alias.empty()) item->offset_alias = "offset";
  }
  for (std::string_view word : {"TABLESAMPLE", "PIVOT", "UNPIVOT", "MATCH_RECOGNIZE"}) {
    if (IsWord(word)) Fail(Now().begin, std::string(word) + " is not supported");
  }
  return item;
}

}  // namespace hakobu::localbq::sql
