// GoogleSQL text -> syntax tree. Recursive descent; the first error ends it (the cursor jumps to the end, so
// that every loop stops), nesting is bounded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "localbq/sql/ast.h"
#include "localbq/sql/lexer.h"

namespace hakobu::localbq::sql {

// Google's words for a statement that cannot be planned.
inline constexpr std::string_view kTooComplex =
    "Resources exceeded during query execution: Not enough resources for query planning - too many "
    "subqueries "
    "or query is too complex.";

absl::StatusOr<std::vector<ParsedStatement>> ParseScript(std::string_view sql);
absl::StatusOr<ExpressionPtr> ParseLoneExpression(std::string_view sql);

// The parts of the grammar are in parser.cc (cursor), parse_expression.cc, parse_query.cc, parse_dml.cc,
// parse_ddl.cc.
class Parser {
 public:
  Parser(std::string_view sql, std::vector<Token> tokens) : sql_(sql), tokens_(std::move(tokens)) {}

  std::vector<ParsedStatement> Script();
  ExpressionPtr LoneExpression();
  const absl::Status& error() const { return error_; }

 private:
  // cursor
  const Token& Now() const { return tokens_[cursor_]; }
  const Token& Ahead(size_t n) const { return tokens_[std::min(cursor_ + n, tokens_.size() - 1)]; }
  bool AtEnd() const { return Now().kind == TokenKind::kEnd; }
  bool Failed() const { return !error_.ok(); }
  void Fail(size_t at, std::string_view message);
  void Unexpected(std::string_view expected = {});
  bool IsWord(std::string_view word, size_t ahead = 0) const;
  bool IsSymbol(std::string_view symbol, size_t ahead = 0) const;
  bool TakeWord(std::string_view word);
  bool TakeWords(std::initializer_list<std::string_view> words);
  bool TakeSymbol(std::string_view symbol);
  void ExpectWord(std::string_view word);
  void ExpectSymbol(std::string_view symbol);
  void CloseAngle();
  bool AtName(size_t ahead = 0) const;
  std::string Name(std::string_view what = "identifier");
  std::string Alias();
  std::vector<std::string> Path();
  std::vector<std::string> TablePath();
  std::vector<std::string> NameList();
  std::string StringLiteral();
  std::string Describe(const Token& token) const;
  ExpressionPtr New(ExpressionKind kind) const;

  // expressions
  // Operands that `operand` parses, joined by `word` (AND, OR).
  ExpressionPtr Chain(std::string_view word, ExpressionPtr (Parser::*operand)());
  ExpressionPtr Or();
  ExpressionPtr And();
  ExpressionPtr Not();
  ExpressionPtr Comparison();
  ExpressionPtr ComparisonTail(ExpressionPtr left, bool& more);
  ExpressionPtr InTail(ExpressionPtr left, bool negated);
  ExpressionPtr IsTail(ExpressionPtr left);
  ExpressionPtr BinaryLevel(int level);
  ExpressionPtr Unary();
  ExpressionPtr Postfix();
  ExpressionPtr Primary();
  ExpressionPtr Parenthesised();
  ExpressionPtr WordExpression();
  ExpressionPtr Literal();
  ExpressionPtr Case();
  ExpressionPtr Cast(bool safe);
  ExpressionPtr Extract();
  ExpressionPtr Interval();
  ExpressionPtr StructConstructor();
  ExpressionPtr ArrayConstructor();
  ExpressionPtr QueryIn(ExpressionKind kind);
  ExpressionPtr PathOrCall();
  void CallArguments(Expression& call);
  ExpressionPtr CallTail(ExpressionPtr call);
  ExpressionPtr Expr();
  Column TypeName();
  void TypeParameters(Column& column);
  Window WindowBody();
  FrameBound Bound();
  std::vector<OrderItem> OrderBy();

  // queries
  QueryPtr ParseQuery();
  QueryPtr SetOperations();
  QueryPtr QueryPrimary();
  std::unique_ptr<Select> ParseSelect();
  SelectItem Item();
  void StarTail(SelectItem& item);
  void GroupBy(Select& select);
  FromPtr From();
  FromPtr Joined(FromPtr left);  // with what JOIN words follow
  FromPtr FromPrimary();
  bool JoinWords(JoinKind& kind);
  void FromTail(FromItem& item);

  // statements
  ParsedStatement StatementBody();
  ParsedStatement Insert();
  ParsedStatement Update();
  ParsedStatement Delete();
  ParsedStatement Truncate();
  ParsedStatement Merge();
  MergeClause When();
  ParsedStatement Create();
  void CreateTable(ParsedStatement& statement);
  void CreateView(ParsedStatement& statement);
  void TableElement(ParsedStatement& statement);
  void Constraint(ParsedStatement& statement, const std::string& name);
  ForeignKey Foreign(std::vector<std::string>& path);
  void NotEnforced();
  ParsedStatement Drop();
  ParsedStatement Alter();
  ParsedAlter AlterTableAction();
  void AlterColumn(ParsedAlter& alter);
  ParsedAlter AddAction();
  ParsedColumn ColumnDefinition();
  std::vector<ParsedOption> Options();
  std::vector<std::pair<std::vector<std::string>, ExpressionPtr>> Assignments();
  std::vector<ExpressionPtr> ValueRow();
  bool IfExists();
  bool IfNotExists();
  void Target(ParsedStatement& statement);

  // One level of nesting. What is parsed while it lives is a subtree, whose height counts once for what is
  // around it.
  struct Depth {
    explicit Depth(Parser& owner);
    ~Depth();
    Parser& parser;
    int around;  // height of what was parsed around it so far
  };
  // An operator (a join, a field) that has what was parsed before it as its first operand: chains of them are
  // as deep as they are long.
  void Link(size_t at);

  std::string_view sql_;
  std::vector<Token> tokens_;
  size_t cursor_ = 0;
  absl::Status error_;
  int depth_ = 0;
  int height_ = 0;
  int set_operations_ = 0;
  int positional_ = 0;
};

}  // namespace hakobu::localbq::sql
