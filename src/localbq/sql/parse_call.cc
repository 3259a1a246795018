// Function calls, their windows, ORDER BY.
#include "localbq/sql/parser.h"

namespace hakobu::localbq::sql {

ExpressionPtr Parser::CallTail(ExpressionPtr call) {
  Depth depth(*this);
  ExpectSymbol("(");
  CallArguments(*call);
  ExpectSymbol(")");
  if (TakeWord("OVER")) {
    if (AtName()) {
      call->over = std::make_unique<Window>();
      call->over->base = Name();
    } else {
      call->over = std::make_unique<Window>(WindowBody());
    }
  }
  return call;
}

void Parser::CallArguments(Expression& call) {
  call.distinct = TakeWord("DISTINCT");
  while (!AtEnd() && !IsSymbol(")")) {
    if (IsSymbol("*")) {
      call.arguments.push_back(New(ExpressionKind::kStar));
      ++cursor_;
    } else if (AtName() && IsSymbol("=>", 1)) {
      ExpressionPtr named = New(ExpressionKind::kUnary);
      named->text = "=>";
      named->names = {Lower(Name())};
      ++cursor_;
      named->arguments.push_back(Expr());
      call.arguments.push_back(std::move(named));
    } else if (IsWord("SELECT") || IsWord("WITH")) {
      Unexpected();
    } else {
      call.arguments.push_back(Expr());
    }
    if (TakeWord("AS")) call.aliases.push_back(Name("alias"));
    if (!TakeSymbol(",")) break;
  }
  if (TakeWords({"IGNORE", "NULLS"})) call.ignore_nulls = true;
  if (TakeWords({"RESPECT", "NULLS"})) call.respect_nulls = true;
  if (TakeWord("HAVING")) {
    call.text2 = TakeWord("MAX") ? "MAX" : TakeWord("MIN") ? "MIN" : "";
    if (call.text2.empty()) Unexpected("MAX or MIN");
    call.having = Expr();
  }
  if (IsWord("ORDER")) call.order = OrderBy();
  if (TakeWord("LIMIT")) call.limit = Expr();
}

std::vector<OrderItem> Parser::OrderBy() {
  std::vector<OrderItem> items;
  ExpectWord("ORDER");
  ExpectWord("BY");
  do {
    OrderItem item;
    item.expression = Expr();
    if (IsWord("COLLATE")) Fail(Now().begin, "COLLATE is not supported");
    item.descending = !TakeWord("ASC") && TakeWord("DESC");
    if (TakeWord("NULLS")) {
      item.nulls_first = TakeWord("FIRST");
      if (!*item.nulls_first) ExpectWord("LAST");
    }
    items.push_back(std::move(item));
  } while (TakeSymbol(","));
  return items;
}

Window Parser::WindowBody() {
  Window window;
  ExpectSymbol("(");
  if (AtName() && !IsWord("PARTITION")) window.base = Name();
  if (TakeWord("PARTITION")) {
    ExpectWord("BY");
    do window.partition.push_back(Expr());
    while (TakeSymbol(","));
  }
  if (IsWord("ORDER")) window.order = OrderBy();
  if (IsWord("ROWS") || IsWord("RANGE")) {
    window.frame = Upper(tokens_[cursor_++].text);
    if (TakeWord("BETWEEN")) {
      window.from = Bound();
      ExpectWord("AND");
      window.to = Bound();
    } else {
      window.from = Bound();
    }
  }
  ExpectSymbol(")");
  return window;
}

FrameBound Parser::Bound() {
  using Kind = FrameBound::Kind;
  if (TakeWords({"UNBOUNDED", "PRECEDING"})) return {Kind::kUnboundedPreceding, nullptr};
  if (TakeWords({"UNBOUNDED", "FOLLOWING"})) return {Kind::kUnboundedFollowing, nullptr};
  if (TakeWords({"CURRENT", "ROW"})) return {Kind::kCurrentRow, nullptr};
  ExpressionPtr value = Expr();
  if (TakeWord("PRECEDING")) return {Kind::kPreceding, std::move(value)};
  ExpectWord("FOLLOWING");
  return {Kind::kFollowing, std::move(value)};
}

}  // namespace hakobu::localbq::sql
