#include <fmt/format.h>

#include "localbq/sql/parser.h"
#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {

std::string_view StatementTypeName(StatementKind kind) {
  switch (kind) {
    case StatementKind::kSelect:
      return "SELECT";
    case StatementKind::kInsert:
      return "INSERT";
    case StatementKind::kUpdate:
      return "UPDATE";
    case StatementKind::kDelete:
      return "DELETE";
    case StatementKind::kMerge:
      return "MERGE";
    case StatementKind::kTruncate:
      return "TRUNCATE_TABLE";
    case StatementKind::kCreateTable:
      return "CREATE_TABLE";
    case StatementKind::kCreateTableAsSelect:
      return "CREATE_TABLE_AS_SELECT";
    case StatementKind::kCreateView:
      return "CREATE_VIEW";
    case StatementKind::kCreateSchema:
      return "CREATE_SCHEMA";
    case StatementKind::kDropTable:
      return "DROP_TABLE";
    case StatementKind::kDropView:
      return "DROP_VIEW";
    case StatementKind::kDropSchema:
      return "DROP_SCHEMA";
    case StatementKind::kAlterTable:
      return "ALTER_TABLE";
    case StatementKind::kAlterView:
      return "ALTER_VIEW";
    case StatementKind::kAlterSchema:
      return "ALTER_SCHEMA";
    case StatementKind::kBegin:
      return "BEGIN_TRANSACTION";
    case StatementKind::kCommit:
      return "COMMIT_TRANSACTION";
    case StatementKind::kRollback:
      return "ROLLBACK_TRANSACTION";
  }
  return "";
}

std::vector<ReferencedTable> Translator::Referenced() const {
  std::vector<ReferencedTable> referenced;
  for (const TableUse& use : uses_) {
    int64_t bytes = use.columns == 0 ? 0
                                     : use.bytes / static_cast<int64_t>(use.columns) *
                                           static_cast<int64_t>(use.used.size());
    if (use.used.size() == use.columns) bytes = use.bytes;
    if (!use.column_bytes.empty()) {
      bytes = 0;
      for (const auto& [column, size] : use.column_bytes) bytes += use.used.contains(column) ? size : 0;
    }
    auto same = std::find_if(referenced.begin(), referenced.end(),
                             [&](const ReferencedTable& other) { return other.name == use.name; });
    if (same == referenced.end()) {
      referenced.push_back({use.name, bytes});
    } else {
      same->bytes = std::max(same->bytes, bytes);
    }
  }
  return referenced;
}

namespace {

// SELECT AS STRUCT at the top: its fields are the columns.
void UnpackStruct(QueryResult& query) {
  if (!query.as_value || query.columns[0].type != Type::kRecord || IsArray(query.columns[0])) return;
  const Column row = query.columns[0];
  std::string list;
  query.columns = row.fields;
  for (const Column& field : row.fields) {
    list += fmt::format("{}struct_extract(\"_v\".{}, {}) AS {}", list.empty() ? "" : ", ",
                        QuoteName(query.sql_names[0]), QuoteText(field.name), QuoteName(field.name));
  }
  query.sql = fmt::format("SELECT {} FROM ({}) AS \"_v\"", list, query.sql);
}

}  // namespace

absl::Status Translator::NameTopColumns(const ParsedStatement& parsed, QueryResult& query) const {
  std::set<std::string> names;
  int unnamed = 0;
  for (Column& column : query.columns) {
    if (column.description == "\1null") column.description.clear();
    column.default_expression.clear();
    if (column.name.empty() && parsed.kind != StatementKind::kSelect && parsed.columns.empty()) {
      return Error(parsed.query_begin, "CREATE TABLE/VIEW columns must be named, but column " +
                                           fmt::format("{} has no name", unnamed + 1));
    }
    if (column.name.empty()) column.name = fmt::format("f{}_", unnamed);
    ++unnamed;
    if (!names.insert(Lower(column.name)).second) {
      return Error(parsed.at,
                   fmt::format("Duplicate column names in the result are not supported. Found duplicate(s): "
                               "{}",
                               column.name));
    }
  }
  for (size_t i = 0; i < parsed.columns.size() && i < query.columns.size(); ++i) {
    query.columns[i].name = parsed.columns[i];
  }
  return absl::OkStatus();
}

absl::StatusOr<Statement> Translator::Run(const ParsedStatement& parsed) {
  Statement out;
  out.kind = parsed.kind;
  out.text = std::string(sql_.substr(parsed.at, parsed.end - parsed.at));
  out.if_exists = parsed.if_exists;
  out.if_not_exists = parsed.if_not_exists;
  out.or_replace = parsed.or_replace;
  out.cascade = parsed.cascade;
  switch (parsed.kind) {
    case StatementKind::kSelect:
    case StatementKind::kCreateTableAsSelect:
    case StatementKind::kCreateView: {
      if (parsed.kind != StatementKind::kCreateView) top_select_ = parsed.query->select.get();
      qualified_only_ = parsed.kind == StatementKind::kCreateView;
      absl::StatusOr<QueryResult> translated = TranslateQuery(*parsed.query, nullptr);
      qualified_only_ = false;
      if (!translated.ok()) return translated.status();
      QueryResult query = *std::move(translated);
      UnpackStruct(query);
      HAKOBU_RETURN_IF_ERROR(NameTopColumns(parsed, query));
      out.schema = query.columns;
      out.duckdb = query.sql;
      if (parsed.kind != StatementKind::kSelect) {
        HAKOBU_RETURN_IF_ERROR(Ddl(parsed, out));
      }
      break;
    }
    case StatementKind::kInsert:
    case StatementKind::kUpdate:
    case StatementKind::kDelete:
    case StatementKind::kMerge:
    case StatementKind::kTruncate:
      HAKOBU_RETURN_IF_ERROR(Dml(parsed, out));
      break;
    case StatementKind::kBegin:
    case StatementKind::kCommit:
    case StatementKind::kRollback:
      break;
    default:
      HAKOBU_RETURN_IF_ERROR(Ddl(parsed, out));
      break;
  }
  if (parsed.kind != StatementKind::kCreateView) HAKOBU_RETURN_IF_ERROR(CheckFilters());
  out.referenced = Referenced();
  return out;
}

absl::StatusOr<std::vector<Statement>> Translate(std::string_view sql, const Context& context) {
  HAKOBU_ASSIGN_OR_RETURN(std::vector<ParsedStatement> parsed, ParseScript(sql));
  std::vector<Statement> statements;
  for (const ParsedStatement& statement : parsed) {
    Translator translator(sql, context);
    HAKOBU_ASSIGN_OR_RETURN(Statement translated, translator.Run(statement));
    statements.push_back(std::move(translated));
  }
  return statements;
}

absl::StatusOr<std::vector<std::string>> SplitScript(std::string_view sql) {
  HAKOBU_ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(sql));
  std::vector<std::string> statements;
  size_t begin = 0;
  bool empty = true;
  for (const Token& token : tokens) {
    bool semicolon = token.kind == TokenKind::kSymbol && token.text == ";";
    if (semicolon || token.kind == TokenKind::kEnd) {
      if (!empty) statements.emplace_back(sql.substr(begin, token.begin - begin));
      empty = true;
    } else if (empty) {
      begin = token.begin;
      empty = false;
    }
  }
  return statements;
}

absl::StatusOr<std::string> TranslateExpression(std::string_view expression, const Column& type,
                                                const Context& context) {
  HAKOBU_ASSIGN_OR_RETURN(ExpressionPtr parsed, ParseLoneExpression(expression));
  Translator translator(expression, context);
  Column plain = type;
  plain.name.clear();
  HAKOBU_ASSIGN_OR_RETURN(Value value, translator.ExprAs(*parsed, Scope(), plain, "Expression"));
  return value.sql;
}

absl::StatusOr<std::string> TranslateFilter(std::string_view expression, const Schema& schema,
                                            const Context& context) {
  HAKOBU_ASSIGN_OR_RETURN(ExpressionPtr parsed, ParseLoneExpression(expression));
  Translator translator(expression, context);
  Scope scope;
  RangeVariable range;
  for (const Column& column : schema)
    range.columns.push_back({column.name, column, QuoteName(column.name), -1});
  scope.ranges.push_back(std::move(range));
  HAKOBU_ASSIGN_OR_RETURN(Value value,
                          translator.ExprAs(*parsed, scope, ScalarType(Type::kBool), "Row filter"));
  return value.sql;
}

}  // namespace hakobu::localbq::sql
