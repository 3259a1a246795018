// Operators by precedence: https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/operators
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "localbq/sql/parser.h"

namespace hakobu::localbq::sql {

ExpressionPtr Parser::Expr() {
  Depth depth(*this);
  return Or();
}

ExpressionPtr Parser::Or() {
  ExpressionPtr left = And();
  while (!Failed() && IsWord("OR")) {
    ExpressionPtr both = New(ExpressionKind::kBinary);
    ++cursor_;
    both->text = "OR";
    both->arguments.push_back(std::move(left));
    both->arguments.push_back(And());
    left = std::move(both);
  }
  return left;
}

ExpressionPtr Parser::And() {
  ExpressionPtr left = Not();
  while (!Failed() && IsWord("AND")) {
    ExpressionPtr both = New(ExpressionKind::kBinary);
    ++cursor_;
    both->text = "AND";
    both->arguments.push_back(std::move(left));
    both->arguments.push_back(Not());
    left = std::move(both);
  }
  return left;
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
  while (!Failed() && more) left = ComparisonTail(std::move(left), more);
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

namespace {

struct TypeWord {
  std::string_view name;
  Type type;
};
constexpr TypeWord kTypeWords[] = {
    {"INT64", Type::kInt64},
    {"INT", Type::kInt64},
    {"SMALLINT", Type::kInt64},
    {"INTEGER", Type::kInt64},
    {"BIGINT", Type::kInt64},
    {"TINYINT", Type::kInt64},
    {"BYTEINT", Type::kInt64},
    {"FLOAT64", Type::kFloat64},
    {"BOOL", Type::kBool},
    {"BOOLEAN", Type::kBool},
    {"STRING", Type::kString},
    {"BYTES", Type::kBytes},
    {"NUMERIC", Type::kNumeric},
    {"DECIMAL", Type::kNumeric},
    {"BIGNUMERIC", Type::kBigNumeric},
    {"BIGDECIMAL", Type::kBigNumeric},
    {"DATE", Type::kDate},
    {"DATETIME", Type::kDateTime},
    {"TIME", Type::kTime},
    {"TIMESTAMP", Type::kTimestamp},
    {"JSON", Type::kJson},
    {"GEOGRAPHY", Type::kGeography},
    {"INTERVAL", Type::kInterval},
    {"RANGE", Type::kRange},
};

int64_t SmallInteger(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

Column Parser::TypeName() {
  Depth depth(*this);
  Column column;
  size_t at = Now().begin;
  if (TakeWord("ARRAY")) {
    ExpectSymbol("<");
    column = TypeName();
    if (column.mode == Mode::kRepeated) Fail(at, "Array of array types are not supported");
    column.mode = Mode::kRepeated;
    CloseAngle();
    return column;
  }
  if (TakeWord("STRUCT")) {
    column.type = Type::kRecord;
    ExpectSymbol("<");
    while (!AtEnd() && !IsSymbol(">") && !IsSymbol(">>")) {
      std::string name;
      bool named = Ahead(1).kind == TokenKind::kIdentifier;
      if (named) name = Name();
      Column field = TypeName();
      if (TakeWords({"NOT", "NULL"})) field.mode = Mode::kRequired;
      field.name = named ? name : fmt::format("_field_{}", column.fields.size() + 1);
      if (TakeWord("OPTIONS")) {
        --cursor_;
        for (ParsedOption& option : Options()) {
          if (option.name == "description" && option.value->kind == ExpressionKind::kString) {
            field.description = option.value->text;
          }
        }
      }
      column.fields.push_back(std::move(field));
      if (!TakeSymbol(",")) break;
    }
    CloseAngle();
    return column;
  }
  for (const TypeWord& word : kTypeWords) {
    if ((!IsWord(word.name) &&
         !(Now().kind == TokenKind::kQuotedIdentifier && Upper(Now().text) == word.name)))
      continue;
    ++cursor_;
    column.type = word.type;
    if (column.type == Type::kRange && IsSymbol("<")) {
      ++cursor_;
      column.range_element = TypeName().type;
      CloseAngle();
    }
    TypeParameters(column);
    return column;
  }
  if (AtName()) {
    Fail(Now().begin, fmt::format("Type not found: {}", Now().text));
  } else {
    Unexpected();
  }
  return column;
}

void Parser::TypeParameters(Column& column) {
  if (!IsSymbol("(")) return;
  size_t at = Now().begin;
  ++cursor_;
  std::vector<int64_t> values;
  do {
    if (TakeWord("MAX")) {
      values.push_back(0);
    } else if (Now().kind == TokenKind::kInteger) {
      values.push_back(SmallInteger(tokens_[cursor_++].text));
    } else {
      Unexpected();
    }
  } while (TakeSymbol(","));
  ExpectSymbol(")");
  if (Failed()) return;
  bool decimal = column.type == Type::kNumeric || column.type == Type::kBigNumeric;
  bool length = column.type == Type::kString || column.type == Type::kBytes;
  if ((!decimal && !length) || values.size() > (decimal ? 2U : 1U)) {
    return Fail(at, fmt::format("{} does not support type parameters", SqlTypeName(column.type)));
  }
  if (length) {
    column.max_length = values[0];
    return;
  }
  column.precision = static_cast<int32_t>(values[0]);
  column.scale = values.size() > 1 ? static_cast<int32_t>(values[1]) : 0;
  int32_t whole = column.type == Type::kNumeric ? 29 : 38, fraction = column.type == Type::kNumeric ? 9 : 38;
  if (column.scale > fraction || column.precision < std::max(1, column.scale) ||
      column.precision - column.scale > whole) {
    Fail(at, fmt::format("In {}(P, S), P must be between max(S,1) and S+{} and S at most {}",
                         SqlTypeName(column.type), whole, fraction));
  }
}

}  // namespace hakobu::localbq::sql
