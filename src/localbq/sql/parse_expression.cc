// Operators by precedence: https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/operators
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

#include "localbq/sql/parser.h"

namespace hakobu::localbq::sql {

ExpressionPtr Parser::Expr() {
  Depth depth(*this);
  return Or();
}

namespace {

// Operators of which it is all the same how they are grouped: as a balanced tree, so that a long chain is not
// deep. Short ones as they are written.
ExpressionPtr Grouped(std::span<ExpressionPtr> operands, std::span<ExpressionPtr> operators) {
  constexpr size_t kShort = 8;
  if (operands.size() == 1) return std::move(operands[0]);
  const size_t left = operands.size() <= kShort ? operands.size() - 1 : operands.size() / 2;
  ExpressionPtr both = std::move(operators[left - 1]);
  both->arguments.push_back(Grouped(operands.first(left), operators.first(left - 1)));
  both->arguments.push_back(Grouped(operands.subspan(left), operators.subspan(left)));
  return both;
}

}  // namespace

ExpressionPtr Parser::Chain(std::string_view word, ExpressionPtr (Parser::*operand)()) {
  std::vector<ExpressionPtr> operands, operators;
  int highest = height_;
  const auto add = [&] {
    height_ = 0;
    operands.push_back((this->*operand)());
    highest = std::max(highest, height_);
  };
  add();
  while (!Failed() && IsWord(word)) {
    ExpressionPtr both = New(ExpressionKind::kBinary);
    ++cursor_;
    both->text = word;
    operators.push_back(std::move(both));
    add();
  }
  height_ = highest;
  return Grouped(operands, operators);
}

ExpressionPtr Parser::Or() {
  return Chain("OR", &Parser::And);
}

ExpressionPtr Parser::And() {
  return Chain("AND", &Parser::Not);
}

ExpressionPtr Parser::Not() {
  if (!IsWord("NOT")) return Comparison();
  Depth depth(*this);
  ExpressionPtr expression = New(ExpressionKind::kUnary);
  ++cursor_;
  expression->text = "NOT";
  expression->arguments.push_back(Not());
  return expression;
}

ExpressionPtr Parser::Comparison() {
  ExpressionPtr left = BinaryLevel(0);
  bool more = true;
  while (!Failed() && more) {
    left = ComparisonTail(std::move(left), more);
    if (more) Link(left->at);
  }
  return left;
}

ExpressionPtr Parser::ComparisonTail(ExpressionPtr left, bool& more) {
  static constexpr std::array<std::string_view, 7> kOperators = {"=", "!=", "<>", "<", "<=", ">", ">="};
  for (std::string_view symbol : kOperators) {
    if (!IsSymbol(symbol)) continue;
    ExpressionPtr both = New(ExpressionKind::kBinary);
    ++cursor_;
    both->text = symbol == "!=" ? "<>" : symbol;
    both->at = left->at;
    both->arguments.push_back(std::move(left));
    both->arguments.push_back(BinaryLevel(0));
    more = false;
    return both;
  }
  if (IsWord("IS")) return IsTail(std::move(left));
  bool negated = IsWord("NOT") && (IsWord("IN", 1) || IsWord("LIKE", 1) || IsWord("BETWEEN", 1));
  if (negated) ++cursor_;
  if (TakeWord("IN")) return InTail(std::move(left), negated);
  if (IsWord("LIKE")) {
    ExpressionPtr like = New(ExpressionKind::kLike);
    ++cursor_;
    if (IsWord("ANY") || IsWord("SOME") || IsWord("ALL"))
      Fail(Now().begin, "LIKE ANY/SOME/ALL is not supported");
    like->negated = negated;
    like->arguments.push_back(std::move(left));
    like->arguments.push_back(BinaryLevel(0));
    return like;
  }
  if (IsWord("BETWEEN")) {
    ExpressionPtr between = New(ExpressionKind::kBetween);
    ++cursor_;
    between->negated = negated;
    between->arguments.push_back(std::move(left));
    between->arguments.push_back(BinaryLevel(0));
    ExpectWord("AND");
    between->arguments.push_back(BinaryLevel(0));
    return between;
  }
  more = false;
  return left;
}

ExpressionPtr Parser::IsTail(ExpressionPtr left) {
  ExpressionPtr is = New(ExpressionKind::kIsNull);
  ++cursor_;
  is->negated = TakeWord("NOT");
  is->arguments.push_back(std::move(left));
  if (TakeWord("NULL")) {
  } else if (TakeWord("TRUE")) {
    is->kind = ExpressionKind::kIsTrue;
  } else if (TakeWord("FALSE")) {
    is->kind = ExpressionKind::kIsFalse;
  } else if (TakeWords({"DISTINCT", "FROM"})) {
    is->kind = ExpressionKind::kIsDistinct;
    is->arguments.push_back(BinaryLevel(0));
  } else {
    Unexpected();
  }
  return is;
}

ExpressionPtr Parser::InTail(ExpressionPtr left, bool negated) {
  ExpressionPtr in = New(ExpressionKind::kIn);
  in->negated = negated;
  in->arguments.push_back(std::move(left));
  if (TakeWord("UNNEST")) {
    in->kind = ExpressionKind::kInUnnest;
    ExpectSymbol("(");
    in->arguments.push_back(Expr());
    ExpectSymbol(")");
    return in;
  }
  ExpectSymbol("(");
  if (IsWord("SELECT") || IsWord("WITH")) {
    in->kind = ExpressionKind::kInQuery;
    in->query = ParseQuery();
  } else {
    do in->arguments.push_back(Expr());
    while (TakeSymbol(","));
  }
  ExpectSymbol(")");
  return in;
}

ExpressionPtr Parser::BinaryLevel(int level) {
  static constexpr std::array<std::array<std::string_view, 3>, 6> kLevels = {
      {{"|", "", ""}, {"^", "", ""}, {"&", "", ""}, {"<<", ">>", ""}, {"+", "-", ""}, {"*", "/", "||"}}};
  if (level == 6) return Unary();
  ExpressionPtr left = BinaryLevel(level + 1);
  for (bool found = true; found && !Failed();) {
    found = false;
    for (std::string_view symbol : kLevels[static_cast<size_t>(level)]) {
      if (symbol.empty() || !IsSymbol(symbol)) continue;
      ExpressionPtr both = New(ExpressionKind::kBinary);
      ++cursor_;
      both->at = left->at;
      both->text = symbol;
      both->arguments.push_back(std::move(left));
      both->arguments.push_back(BinaryLevel(level + 1));
      left = std::move(both);
      Link(left->at);
      found = true;
      break;
    }
  }
  return left;
}

ExpressionPtr Parser::Unary() {
  if (IsSymbol("-") || IsSymbol("+") || IsSymbol("~")) {
    Depth depth(*this);
    ExpressionPtr unary = New(ExpressionKind::kUnary);
    unary->text = tokens_[cursor_++].text;
    unary->arguments.push_back(Unary());
    Expression& operand = *unary->arguments[0];
    if (unary->text == "-" && !operand.negated && !operand.text.empty() &&
        (operand.kind == ExpressionKind::kInteger || operand.kind == ExpressionKind::kFloat)) {
      operand.text = "-" + operand.text;
      operand.negated = true;
      operand.at = unary->at;
      return std::move(unary->arguments[0]);
    }
    return unary;
  }
  return Postfix();
}

ExpressionPtr Parser::Postfix() {
  ExpressionPtr base = Primary();
  while (!Failed()) {
    if (IsSymbol(".")) {
      ExpressionPtr field = New(ExpressionKind::kField);
      ++cursor_;
      if (Now().kind > TokenKind::kQuotedIdentifier) {
        if (IsSymbol("*")) {  // a star of an expression: the select list takes it
          --cursor_;
          return base;
        }
        Unexpected();
        return base;
      }
      field->text = tokens_[cursor_++].text;
      field->arguments.push_back(std::move(base));
      base = std::move(field);
      Link(base->at);
    } else if (IsSymbol("[")) {
      ExpressionPtr index = New(ExpressionKind::kIndex);
      ++cursor_;
      index->arguments.push_back(std::move(base));
      for (std::string_view word : {"SAFE_OFFSET", "SAFE_ORDINAL", "OFFSET", "ORDINAL"}) {
        if (!IsWord(word) || !IsSymbol("(", 1)) continue;
        index->text = word;
        cursor_ += 2;
        break;
      }
      index->arguments.push_back(Expr());
      if (!index->text.empty()) ExpectSymbol(")");
      ExpectSymbol("]");
      base = std::move(index);
      Link(base->at);
    } else {
      break;
    }
  }
  return base;
}

ExpressionPtr Parser::Primary() {
  Depth depth(*this);
  switch (Now().kind) {
    case TokenKind::kString:
    case TokenKind::kBytes:
    case TokenKind::kInteger:
    case TokenKind::kFloat:
      return Literal();
    case TokenKind::kParameter: {
      ExpressionPtr parameter = New(ExpressionKind::kParameter);
      parameter->text = Lower(tokens_[cursor_++].text);
      return parameter;
    }
    case TokenKind::kSystemVariable:
      Fail(Now().begin, fmt::format("System variable @@{} is not supported", Now().text));
      return New(ExpressionKind::kNull);
    case TokenKind::kSymbol:
      if (IsSymbol("(")) return Parenthesised();
      if (IsSymbol("[")) return ArrayConstructor();
      if (IsSymbol("?")) {
        ExpressionPtr parameter = New(ExpressionKind::kParameter);
        ++cursor_;
        parameter->position = ++positional_;
        return parameter;
      }
      break;
    case TokenKind::kIdentifier:
    case TokenKind::kQuotedIdentifier:
      return WordExpression();
    case TokenKind::kEnd:
      break;
  }
  Unexpected();
  return New(ExpressionKind::kNull);
}

ExpressionPtr Parser::Literal() {
  TokenKind kind = Now().kind;
  ExpressionPtr literal = New(kind == TokenKind::kString    ? ExpressionKind::kString
                              : kind == TokenKind::kBytes   ? ExpressionKind::kBytes
                              : kind == TokenKind::kInteger ? ExpressionKind::kInteger
                                                            : ExpressionKind::kFloat);
  literal->text = tokens_[cursor_++].text;
  while (kind == Now().kind && (kind == TokenKind::kString || kind == TokenKind::kBytes)) {
    Unexpected("end of input");
  }
  return literal;
}

ExpressionPtr Parser::Parenthesised() {
  ExpressionPtr row = New(ExpressionKind::kStruct);
  ++cursor_;
  if (IsWord("SELECT") || IsWord("WITH")) {
    --cursor_;
    return QueryIn(ExpressionKind::kScalarQuery);
  }
  do {
    row->arguments.push_back(Expr());
    row->aliases.emplace_back();
  } while (TakeSymbol(","));
  ExpectSymbol(")");
  if (row->arguments.size() == 1) {
    row->arguments[0]->negated |= row->arguments[0]->kind == ExpressionKind::kInteger;
    return std::move(row->arguments[0]);
  }
  return row;
}

ExpressionPtr Parser::QueryIn(ExpressionKind kind) {
  ExpressionPtr expression = New(kind);
  ExpectSymbol("(");
  expression->query = ParseQuery();
  ExpectSymbol(")");
  return expression;
}

ExpressionPtr Parser::WordExpression() {
  if (Now().kind == TokenKind::kIdentifier) {
    for (std::string_view word : {"TRUE", "FALSE", "NULL"}) {
      if (!IsWord(word)) continue;
      ExpressionPtr literal = New(word == "NULL" ? ExpressionKind::kNull : ExpressionKind::kBool);
      literal->text = word;
      ++cursor_;
      return literal;
    }
    if (IsWord("CASE")) return Case();
    if (IsWord("CAST") && IsSymbol("(", 1)) return Cast(false);
    if (IsWord("SAFE_CAST") && IsSymbol("(", 1)) return Cast(true);
    if (IsWord("EXTRACT") && IsSymbol("(", 1)) return Extract();
    if (IsWord("INTERVAL")) return Interval();
    if (IsWord("STRUCT")) return StructConstructor();
    if (IsWord("ARRAY")) return ArrayConstructor();
    if (IsWord("EXISTS") && IsSymbol("(", 1)) {
      ++cursor_;
      return QueryIn(ExpressionKind::kExists);
    }
    if (Ahead(1).kind == TokenKind::kString) {
      for (std::string_view word : {"DATE", "DATETIME", "TIME", "TIMESTAMP", "NUMERIC", "DECIMAL",
                                    "BIGNUMERIC", "BIGDECIMAL", "JSON", "RANGE"}) {
        if (!IsWord(word)) continue;
        ExpressionPtr literal = New(ExpressionKind::kTyped);
        literal->type = TypeName();
        literal->text = StringLiteral();
        return literal;
      }
    }
    if ((IsWord("IF") || IsWord("LEFT") || IsWord("RIGHT")) && IsSymbol("(", 1)) {
      ExpressionPtr call = New(ExpressionKind::kCall);
      call->names = {tokens_[cursor_++].text};
      return CallTail(std::move(call));
    }
    if (IsWord("GROUPING") && IsSymbol("(", 1)) Fail(Now().begin, "GROUPING is not supported");
  }
  return PathOrCall();
}

ExpressionPtr Parser::PathOrCall() {
  ExpressionPtr path = New(ExpressionKind::kPath);
  path->quoted = Now().kind == TokenKind::kQuotedIdentifier;
  path->names = Path();
  path->end = cursor_ > 0 ? tokens_[cursor_ - 1].end : 0;
  if (!IsSymbol("(")) return path;
  path->kind = ExpressionKind::kCall;
  return CallTail(std::move(path));
}

ExpressionPtr Parser::Case() {
  ExpressionPtr expression = New(ExpressionKind::kCase);
  ++cursor_;
  if (!IsWord("WHEN")) {
    expression->has_operand = true;
    expression->arguments.push_back(Expr());
  }
  if (!IsWord("WHEN")) Unexpected("keyword WHEN");
  while (TakeWord("WHEN")) {
    expression->arguments.push_back(Expr());
    ExpectWord("THEN");
    expression->arguments.push_back(Expr());
  }
  if (TakeWord("ELSE")) {
    expression->has_else = true;
    expression->arguments.push_back(Expr());
  }
  ExpectWord("END");
  return expression;
}

ExpressionPtr Parser::Cast(bool safe) {
  ExpressionPtr cast = New(ExpressionKind::kCast);
  cursor_ += 2;
  cast->safe = safe;
  cast->arguments.push_back(Expr());
  ExpectWord("AS");
  cast->type = TypeName();
  if (IsWord("FORMAT")) Fail(Now().begin, "CAST with FORMAT is not supported");
  if (IsWord("AT")) Fail(Now().begin, "CAST with AT TIME ZONE is not supported");
  ExpectSymbol(")");
  return cast;
}

ExpressionPtr Parser::Extract() {
  ExpressionPtr extract = New(ExpressionKind::kExtract);
  cursor_ += 2;
  extract->text = Upper(Name());
  if (extract->text == "WEEK" && TakeSymbol("(")) {
    extract->text += "(" + Upper(Name()) + ")";
    ExpectSymbol(")");
  }
  ExpectWord("FROM");
  extract->arguments.push_back(Expr());
  if (TakeWords({"AT", "TIME", "ZONE"})) extract->arguments.push_back(Expr());
  ExpectSymbol(")");
  return extract;
}

ExpressionPtr Parser::Interval() {
  ExpressionPtr interval = New(ExpressionKind::kInterval);
  ++cursor_;
  interval->arguments.push_back(Expr());
  interval->text = Upper(Name("date-time part"));
  if (TakeWord("TO")) interval->text2 = Upper(Name("date-time part"));
  return interval;
}

ExpressionPtr Parser::StructConstructor() {
  ExpressionPtr row = New(ExpressionKind::kStruct);
  if (IsSymbol("<", 1)) {
    row->type = TypeName();
    row->has_type = true;
  } else {
    ++cursor_;
  }
  ExpectSymbol("(");
  while (!AtEnd() && !IsSymbol(")")) {
    row->arguments.push_back(Expr());
    row->aliases.push_back(TakeWord("AS") ? Name("alias") : "");
    if (!TakeSymbol(",")) break;
  }
  ExpectSymbol(")");
  return row;
}

ExpressionPtr Parser::ArrayConstructor() {
  ExpressionPtr array = New(ExpressionKind::kArray);
  if (IsWord("ARRAY") && IsSymbol("<", 1)) {
    array->type = TypeName();
    array->has_type = true;
  } else if (TakeWord("ARRAY") && IsSymbol("(")) {
    return QueryIn(ExpressionKind::kArrayQuery);
  }
  ExpectSymbol("[");
  while (!AtEnd() && !IsSymbol("]")) {
    array->arguments.push_back(Expr());
    if (!TakeSymbol(",")) break;
  }
  ExpectSymbol("]");
  return array;
}

}  // namespace hakobu::localbq::sql
