#include "localbq/sql/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/status.h"

namespace hakobu::localbq::sql {
namespace {

// https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords
bool IsReserved(std::string_view word) {
  static const auto& reserved = *new std::unordered_set<std::string>{
      "ALL",      "AND",     "ANY",      "ARRAY",     "AS",        "ASC",         "ASSERT_ROWS_MODIFIED",
      "AT",       "BETWEEN", "BY",       "CASE",      "CAST",      "COLLATE",     "CONTAINS",
      "CREATE",   "CROSS",   "CUBE",     "CURRENT",   "DEFAULT",   "DEFINE",      "DESC",
      "DISTINCT", "ELSE",    "END",      "ENUM",      "ESCAPE",    "EXCEPT",      "EXCLUDE",
      "EXISTS",   "EXTRACT", "FALSE",    "FETCH",     "FOLLOWING", "FOR",         "FROM",
      "FULL",     "GROUP",   "GROUPING", "GROUPS",    "HASH",      "HAVING",      "IF",
      "IGNORE",   "IN",      "INNER",    "INTERSECT", "INTERVAL",  "INTO",        "IS",
      "JOIN",     "LATERAL", "LEFT",     "LIKE",      "LIMIT",     "LOOKUP",      "MERGE",
      "NATURAL",  "NEW",     "NO",       "NOT",       "NULL",      "NULLS",       "OF",
      "ON",       "OR",      "ORDER",    "OUTER",     "OVER",      "PARTITION",   "PRECEDING",
      "PROTO",    "QUALIFY", "RANGE",    "RECURSIVE", "RESPECT",   "RIGHT",       "ROLLUP",
      "ROWS",     "SELECT",  "SET",      "SOME",      "STRUCT",    "TABLESAMPLE", "THEN",
      "TO",       "TREAT",   "TRUE",     "UNBOUNDED", "UNION",     "UNNEST",      "USING",
      "WHEN",     "WHERE",   "WINDOW",   "WITH",      "WITHIN"};
  return reserved.contains(Upper(word));
}

constexpr int kMaxDepth = 200;
constexpr int kMaxHeight = 500;

}  // namespace

Parser::Depth::Depth(Parser& owner) : parser(owner), around(std::exchange(owner.height_, 0)) {
  if (++parser.depth_ > kMaxDepth) parser.Fail(parser.Now().begin, "Syntax error: Too much nesting");
}

Parser::Depth::~Depth() {
  --parser.depth_;
  parser.height_ = std::max(around, parser.height_ + 1);
}

void Parser::Link(size_t at) {
  if (++height_ > kMaxHeight) Fail(at, kTooComplex);
}

void Parser::Fail(size_t at, std::string_view message) {
  if (error_.ok()) error_ = ErrorAt(sql_, at, message);
  cursor_ = tokens_.size() - 1;
}

std::string Parser::Describe(const Token& token) const {
  switch (token.kind) {
    case TokenKind::kEnd:
      return "end of script";
    case TokenKind::kIdentifier:
      if (IsReserved(token.text)) return "keyword " + Upper(token.text);
      return fmt::format("identifier \"{}\"", token.text);
    case TokenKind::kQuotedIdentifier:
      return fmt::format("identifier `{}`", token.text);
    case TokenKind::kString:
      return fmt::format("string literal {}", sql_.substr(token.begin, token.end - token.begin));
    case TokenKind::kBytes:
      return fmt::format("bytes literal {}", sql_.substr(token.begin, token.end - token.begin));
    case TokenKind::kInteger:
      return fmt::format("integer literal \"{}\"", token.text);
    case TokenKind::kFloat:
      return fmt::format("floating point literal \"{}\"", token.text);
    case TokenKind::kParameter:
      return "\"@\"";
    case TokenKind::kSystemVariable:
      return "\"@@\"";
    case TokenKind::kSymbol:
      return fmt::format("\"{}\"", token.text);
  }
  return "";
}

void Parser::Unexpected(std::string_view expected) {
  std::string got = Describe(Now());
  Fail(Now().begin, expected.empty() ? "Syntax error: Unexpected " + got
                                     : fmt::format("Syntax error: Expected {} but got {}", expected, got));
}

bool Parser::IsWord(std::string_view word, size_t ahead) const {
  const Token& token = Ahead(ahead);
  return token.kind == TokenKind::kIdentifier && EqualsIgnoreCase(token.text, word);
}

bool Parser::IsSymbol(std::string_view symbol, size_t ahead) const {
  const Token& token = Ahead(ahead);
  return token.kind == TokenKind::kSymbol && token.text == symbol;
}

bool Parser::TakeWord(std::string_view word) {
  if (!IsWord(word)) return false;
  ++cursor_;
  return true;
}

bool Parser::TakeWords(std::initializer_list<std::string_view> words) {
  size_t ahead = 0;
  for (std::string_view word : words) {
    if (!IsWord(word, ahead++)) return false;
  }
  cursor_ += words.size();
  return true;
}

bool Parser::TakeSymbol(std::string_view symbol) {
  if (!IsSymbol(symbol)) return false;
  ++cursor_;
  return true;
}

void Parser::ExpectWord(std::string_view word) {
  if (!TakeWord(word)) Unexpected("keyword " + std::string(word));
}

void Parser::ExpectSymbol(std::string_view symbol) {
  if (!TakeSymbol(symbol)) Unexpected(fmt::format("\"{}\"", symbol));
}

// The ">" of a type; a ">>" closes two.
void Parser::CloseAngle() {
  if (IsSymbol(">>")) {
    tokens_[cursor_].text = ">";
    ++tokens_[cursor_].begin;
  } else {
    ExpectSymbol(">");
  }
}

bool Parser::AtName(size_t ahead) const {
  const Token& token = Ahead(ahead);
  return token.kind == TokenKind::kQuotedIdentifier ||
         (token.kind == TokenKind::kIdentifier && !IsReserved(token.text));
}

std::string Parser::Name(std::string_view what) {
  if (!AtName()) {
    Unexpected(what == "identifier" ? std::string_view{} : what);
    return "";
  }
  return tokens_[cursor_++].text;
}

std::string Parser::Alias() {
  if (TakeWord("AS")) return Name("alias");
  for (std::string_view word : {"PIVOT", "UNPIVOT", "MATCH_RECOGNIZE"}) {
    if (IsWord(word) && IsSymbol("(", 1)) Fail(Now().begin, std::string(word) + " is not supported");
  }
  return AtName() ? Name() : "";
}

// a.b.c; after a dot any word will do.
std::vector<std::string> Parser::Path() {
  std::vector<std::string> path{Name()};
  while (IsSymbol(".") && Ahead(1).kind <= TokenKind::kQuotedIdentifier) {
    ++cursor_;
    path.push_back(tokens_[cursor_++].text);
  }
  return path;
}

// p.d.t; `p.d.t`; `p`.d.t; my-project.d.t (no space around the hyphens); d.INFORMATION_SCHEMA.TABLES
std::vector<std::string> Parser::TablePath() {
  if (!AtName()) {
    Unexpected();
    return {""};
  }
  std::vector<std::string> path;
  auto add = [&](const Token& token) {
    std::string_view text = token.text;
    if (token.kind != TokenKind::kQuotedIdentifier) return path.emplace_back(text), void();
    size_t colon = text.find(':');  // `domain.com:project.d.t`
    size_t from = 0;
    for (size_t dot = text.find('.', colon == text.npos ? 0 : colon); dot != text.npos;
         dot = text.find('.', from)) {
      path.emplace_back(text.substr(from, dot - from));
      from = dot + 1;
    }
    path.emplace_back(text.substr(from));
  };
  add(tokens_[cursor_++]);
  bool dotted = false;
  while (IsSymbol("-") && Now().begin == tokens_[cursor_ - 1].end && Ahead(1).begin == Now().end &&
         Ahead(1).kind != TokenKind::kSymbol && Ahead(1).kind != TokenKind::kEnd) {
    ++cursor_;
    path.back() += "-";
    do {
      path.back() += tokens_[cursor_++].text;
    } while (!AtEnd() && Now().begin == tokens_[cursor_ - 1].end && Now().kind == TokenKind::kIdentifier &&
             path.back().back() != '.');
    if (path.back().back() == '.') {
      path.back().pop_back();
      dotted = true;
      break;
    }
  }
  while (dotted || IsSymbol(".")) {
    if (!dotted) ++cursor_;
    dotted = false;
    if (Now().kind != TokenKind::kIdentifier && Now().kind != TokenKind::kQuotedIdentifier) {
      Unexpected();
      break;
    }
    add(tokens_[cursor_++]);
  }
  return path;
}

std::vector<std::string> Parser::NameList() {
  std::vector<std::string> names;
  ExpectSymbol("(");
  do names.push_back(Name());
  while (TakeSymbol(","));
  ExpectSymbol(")");
  return names;
}

std::string Parser::StringLiteral() {
  if (Now().kind != TokenKind::kString) {
    Unexpected("string literal");
    return "";
  }
  return tokens_[cursor_++].text;
}

ExpressionPtr Parser::New(ExpressionKind kind) const {
  auto expression = std::make_unique<Expression>();
  expression->kind = kind;
  expression->at = Now().begin;
  return expression;
}

std::vector<ParsedStatement> Parser::Script() {
  std::vector<ParsedStatement> statements;
  while (!AtEnd()) {
    if (TakeSymbol(";")) continue;
    size_t begin = Now().begin;
    ParsedStatement statement = StatementBody();
    if (Failed()) break;
    statement.at = begin;
    statement.end = cursor_ > 0 ? tokens_[cursor_ - 1].end : begin;
    if (!AtEnd() && !IsSymbol(";")) Unexpected("end of input");
    statements.push_back(std::move(statement));
  }
  return statements;
}

ExpressionPtr Parser::LoneExpression() {
  ExpressionPtr expression = Expr();
  if (!Failed() && !AtEnd()) Unexpected("end of input");
  return expression;
}

absl::StatusOr<std::vector<ParsedStatement>> ParseScript(std::string_view sql) {
  HAKOBU_ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(sql));
  Parser parser(sql, std::move(tokens));
  std::vector<ParsedStatement> statements = parser.Script();
  HAKOBU_RETURN_IF_ERROR(parser.error());
  return statements;
}

absl::StatusOr<ExpressionPtr> ParseLoneExpression(std::string_view sql) {
  HAKOBU_ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(sql));
  Parser parser(sql, std::move(tokens));
  ExpressionPtr expression = parser.LoneExpression();
  HAKOBU_RETURN_IF_ERROR(parser.error());
  return expression;
}

}  // namespace hakobu::localbq::sql
