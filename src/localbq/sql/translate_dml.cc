// INSERT, UPDATE, DELETE, MERGE, TRUNCATE TABLE.
// https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax
#include <fmt/format.h>

#include "localbq/sql/parser.h"
#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {

RangeVariable Translator::TargetRange(const TableInfo& table, const std::string& alias) const {
  RangeVariable range;
  range.name = alias;
  for (const Column& column : table.schema) {
    range.columns.push_back({column.name, column, "\"_t\"." + QuoteName(column.name), -1});
  }
  return range;
}

// A value as a column takes it: coerced, NUMERIC(P, S) and STRING(L) kept to. REQUIRED is a constraint of the
// stored table: DuckDB computes a MERGE's values for rows that its clause does not apply to, so it cannot be
// checked here.
absl::StatusOr<std::string> Translator::Assigned(const Value& value, const Column& column, size_t at) {
  Column type = column;
  type.name.clear();
  std::optional<Value> coerced = Coerce(value, type);
  if (!coerced) {
    return Error(at,
                 fmt::format("Value has type {} which cannot be inserted into column {}, which has type {}",
                             TypeText(value.type), column.name, TypeText(column)));
  }
  std::string sql = coerced->sql;
  if (IsArray(column)) return fmt::format("COALESCE({}, CAST([] AS {}))", sql, DuckDbType(column));
  if (column.type == Type::kNumeric && column.precision > 0) {
    sql =
        fmt::format("CAST(CAST({} AS DECIMAL({},{})) AS DECIMAL(38,9))", sql, column.precision, column.scale);
  } else if (column.max_length > 0) {
    std::string_view length = column.type == Type::kBytes ? "octet_length" : "length";
    sql = fmt::format("(CASE WHEN {}({}) > {} THEN error({}) ELSE {} END)", length, sql, column.max_length,
                      QuoteText(fmt::format("{}({}) has maximum length {} but got a longer value",
                                            SqlTypeName(column.type), column.max_length, column.max_length)),
                      sql);
  }
  return sql;
}

absl::StatusOr<std::string> Translator::DefaultSql(const Column& column) {
  if (column.default_expression.empty()) {
    if (column.mode == Mode::kRequired) {
      return absl::InvalidArgumentError(fmt::format("Required field {} cannot be null", column.name));
    }
    Column type = column;
    if (IsArray(column)) return fmt::format("CAST([] AS {})", DuckDbType(type));
    return fmt::format("CAST(NULL AS {})", DuckDbType(type));
  }
  return TranslateExpression(column.default_expression, column, context_);
}

absl::Status Translator::Dml(const ParsedStatement& parsed, Statement& out) {
  HAKOBU_ASSIGN_OR_RETURN(out.target, FullName(parsed.target, parsed.target_at));
  HAKOBU_ASSIGN_OR_RETURN(TableInfo table, Find(out.target, parsed.target_at));
  const bool reads_target = parsed.kind == StatementKind::kUpdate || parsed.kind == StatementKind::kDelete ||
                            parsed.kind == StatementKind::kMerge;
  if (reads_target) RequireFilter(out.target, table);
  std::string name = fmt::format("{}:{}.{}", out.target.project, out.target.dataset, out.target.table);
  if (table.kind == RelationKind::kView || table.target.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("Modifications not allowed to table {} because it is a view or is read-only", name));
  }
  if (!table.dml_refusal.empty() && parsed.kind != StatementKind::kInsert &&
      parsed.kind != StatementKind::kTruncate) {
    return absl::InvalidArgumentError(table.dml_refusal);
  }
  switch (parsed.kind) {
    case StatementKind::kInsert:
      return InsertSql(parsed, table, out);
    case StatementKind::kUpdate:
      return UpdateSql(parsed, table, out);
    case StatementKind::kDelete:
      return DeleteSql(parsed, table, out);
    case StatementKind::kMerge:
      return MergeSql(parsed, table, out);
    default:
      out.duckdb = fmt::format("DELETE FROM {}", table.target);
      return absl::OkStatus();
  }
}

absl::Status Translator::InsertSql(const ParsedStatement& parsed, const TableInfo& table, Statement& out) {
  std::vector<const Column*> columns;
  for (const std::string& name : parsed.columns) {
    const Column* column = FindColumn(table.schema, name);
    if (column == nullptr) {
      return Error(parsed.target_at,
                   fmt::format("Column {} is not present in table {}", name, out.target.table));
    }
    for (const Column* other : columns) {
      if (other == column)
        return Error(parsed.target_at, fmt::format("INSERT has columns with duplicate name: {}", name));
    }
    columns.push_back(column);
  }
  if (parsed.columns.empty()) {
    for (const Column& column : table.schema) columns.push_back(&column);
  }
  std::string names, rest;
  for (const Column* column : columns) names += (names.empty() ? "" : ", ") + QuoteName(column->name);
  for (const Column& column : table.schema) {
    if (std::find(columns.begin(), columns.end(), &column) != columns.end()) continue;
    HAKOBU_ASSIGN_OR_RETURN(std::string sql, DefaultSql(column));
    names += ", " + QuoteName(column.name);
    rest += ", " + sql;
  }
  auto mismatch = [&](size_t given) {
    return Error(parsed.target_at, fmt::format("Inserted row has wrong column count; Has {}, expected {}",
                                               given, columns.size()));
  };
  std::string source;
  if (parsed.query) {
    HAKOBU_ASSIGN_OR_RETURN(QueryResult query, TranslateQuery(*parsed.query, nullptr));
    if (query.columns.size() != columns.size()) return mismatch(query.columns.size());
    std::string list;
    for (size_t i = 0; i < columns.size(); ++i) {
      Value value;
      value.sql = "\"_s\"." + QuoteName(query.sql_names[i]);
      value.type = query.columns[i];
      value.null_literal = query.columns[i].description == "\1null";
      HAKOBU_ASSIGN_OR_RETURN(std::string sql, Assigned(value, *columns[i], parsed.target_at));
      list += (list.empty() ? "" : ", ") + sql;
    }
    source = fmt::format("SELECT {}{} FROM ({}) AS \"_s\"", list, rest, query.sql);
  } else {
    Scope scope;
    for (const std::vector<ExpressionPtr>& row : parsed.rows) {
      if (row.size() != columns.size()) return mismatch(row.size());
      std::string list;
      for (size_t i = 0; i < row.size(); ++i) {
        std::string sql;
        if (row[i]) {
          HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*row[i], scope));
          HAKOBU_ASSIGN_OR_RETURN(sql, Assigned(value, *columns[i], row[i]->at));
        } else {
          HAKOBU_ASSIGN_OR_RETURN(sql, DefaultSql(*columns[i]));
        }
        list += (list.empty() ? "" : ", ") + sql;
      }
      source += fmt::format("{}({}{})", source.empty() ? "VALUES " : ", ", list, rest);
    }
  }
  out.duckdb = fmt::format("INSERT INTO {} ({}) {}", table.target, names, source);
  return absl::OkStatus();
}

absl::StatusOr<std::string> Translator::SetSql(
    const std::vector<std::pair<std::vector<std::string>, ExpressionPtr>>& set, const TableInfo& table,
    const std::string& alias, const Scope& scope, size_t at, const std::string& guard) {
  std::string list;
  std::set<std::string> seen;
  for (const auto& [given, expression] : set) {
    std::vector<std::string> path = given;
    if (path.size() > 1 && EqualsIgnoreCase(path[0], alias) && FindColumn(table.schema, path[0]) == nullptr) {
      path.erase(path.begin());
    }
    const Column* column = FindColumn(table.schema, path[0]);
    if (column == nullptr) return Error(at, fmt::format("Unrecognized name: {}", path[0]));
    if (!seen.insert(Lower(path[0])).second) {
      return Error(at, fmt::format("Update item {} assigned more than once", path[0]));
    }
    if (path.size() > 1)
      return Error(at, "UPDATE of a STRUCT's field is not supported; assign the whole STRUCT");
    std::string sql;
    if (expression) {
      HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*expression, scope));
      HAKOBU_ASSIGN_OR_RETURN(sql, Assigned(value, *column, expression->at));
    } else {
      HAKOBU_ASSIGN_OR_RETURN(sql, DefaultSql(*column));
    }
    if (!guard.empty()) sql = fmt::format("(CASE WHEN {} THEN {} END)", guard, sql);
    list += fmt::format("{}{} = {}", list.empty() ? "" : ", ", QuoteName(column->name), sql);
  }
  return list;
}

absl::Status Translator::UpdateSql(const ParsedStatement& parsed, const TableInfo& table, Statement& out) {
  std::string alias = parsed.alias.empty() ? parsed.target.back() : parsed.alias;
  Scope scope;
  std::string from;
  if (parsed.from) {
    HAKOBU_ASSIGN_OR_RETURN(from, FromSql(*parsed.from, scope));
  }
  scope.ranges.insert(scope.ranges.begin(), TargetRange(table, alias));
  HAKOBU_ASSIGN_OR_RETURN(std::string set, SetSql(parsed.set, table, alias, scope, parsed.target_at, ""));
  HAKOBU_ASSIGN_OR_RETURN(Value where, Filter(*parsed.where, scope, "WHERE clause"));
  out.duckdb = fmt::format("UPDATE {} AS \"_t\" SET {}{}{} WHERE {}", table.target, set,
                           from.empty() ? "" : " FROM ", from, where.sql);
  if (!from.empty()) {
    out.checks.push_back(
        fmt::format("SELECT 1 FROM {} AS \"_t\", {} WHERE {} GROUP BY \"_t\".rowid HAVING count(*) > 1 "
                    "LIMIT 1",
                    table.target, from, where.sql));
    out.check_error = "UPDATE/MERGE must match at most one source row for each target row";
  }
  return absl::OkStatus();
}

absl::Status Translator::DeleteSql(const ParsedStatement& parsed, const TableInfo& table, Statement& out) {
  Scope scope;
  scope.ranges.push_back(TargetRange(table, parsed.alias.empty() ? parsed.target.back() : parsed.alias));
  HAKOBU_ASSIGN_OR_RETURN(Value where, Filter(*parsed.where, scope, "WHERE clause"));
  out.duckdb = fmt::format("DELETE FROM {} AS \"_t\" WHERE {}", table.target, where.sql);
  return absl::OkStatus();
}

absl::StatusOr<std::string> Translator::MergeInsert(const MergeClause& clause, const TableInfo& table,
                                                    const Scope& source, const std::string& guard) {
  std::string names, values;
  std::set<std::string> given;
  auto add = [&](const Column& column, const std::string& sql) {
    names += (names.empty() ? "" : ", ") + QuoteName(column.name);
    values += (values.empty() ? "" : ", ") + sql;
    given.insert(Lower(column.name));
  };
  std::vector<std::string> columns = clause.columns;
  if (columns.empty()) {
    for (const Column& column : table.schema) columns.push_back(column.name);
  }
  std::vector<const ScopeColumn*> row;
  if (clause.action == MergeClause::Action::kInsertRow) {
    for (const ScopeColumn& column : source.ranges.back().columns) row.push_back(&column);
  }
  size_t count = clause.action == MergeClause::Action::kInsertRow ? row.size() : clause.values.size();
  if (count != columns.size()) {
    return Error(clause.at, fmt::format("Inserted row has wrong column count; Has {}, expected {}", count,
                                        columns.size()));
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    const Column* column = FindColumn(table.schema, columns[i]);
    if (column == nullptr)
      return Error(clause.at, fmt::format("Column {} is not present in table", columns[i]));
    std::string sql;
    if (clause.action == MergeClause::Action::kInsertRow) {
      Use(*row[i]);
      Value value;
      value.sql = row[i]->sql;
      value.type = row[i]->type;
      HAKOBU_ASSIGN_OR_RETURN(sql, Assigned(value, *column, clause.at));
    } else if (clause.values[i]) {
      HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*clause.values[i], source));
      HAKOBU_ASSIGN_OR_RETURN(sql, Assigned(value, *column, clause.values[i]->at));
    } else {
      HAKOBU_ASSIGN_OR_RETURN(sql, DefaultSql(*column));
    }
    add(*column, guard.empty() ? sql : fmt::format("(CASE WHEN {} THEN {} END)", guard, sql));
  }
  for (const Column& column : table.schema) {
    if (given.contains(Lower(column.name))) continue;
    HAKOBU_ASSIGN_OR_RETURN(std::string sql, DefaultSql(column));
    add(column, sql);
  }
  return fmt::format("INSERT ({}) VALUES ({})", names, values);
}

absl::Status Translator::MergeSql(const ParsedStatement& parsed, const TableInfo& table, Statement& out) {
  using W = MergeClause::When;
  using A = MergeClause::Action;
  std::string alias = parsed.alias.empty() ? parsed.target.back() : parsed.alias;
  Scope source;
  HAKOBU_ASSIGN_OR_RETURN(std::string from, FromSql(*parsed.from, source));
  Scope target;
  target.ranges.push_back(TargetRange(table, alias));
  Scope both = source;
  both.ranges.insert(both.ranges.begin(), target.ranges[0]);
  HAKOBU_ASSIGN_OR_RETURN(Value on, Filter(*parsed.where, both, "MERGE ON clause"));
  std::string sql = fmt::format("MERGE INTO {} AS \"_t\" USING {} ON {}", table.target, from, on.sql);
  std::string matched;
  for (const MergeClause& clause : parsed.clauses) {
    const Scope& scope = clause.when == W::kMatched              ? both
                         : clause.when == W::kNotMatchedByTarget ? source
                                                                 : target;
    sql += clause.when == W::kMatched              ? " WHEN MATCHED"
           : clause.when == W::kNotMatchedByTarget ? " WHEN NOT MATCHED BY TARGET"
                                                   : " WHEN NOT MATCHED BY SOURCE";
    std::string condition;
    if (clause.condition) {
      HAKOBU_ASSIGN_OR_RETURN(Value value, Filter(*clause.condition, scope, "MERGE WHEN clause"));
      condition = value.sql;
      sql += " AND " + condition;
    }
    if (clause.when == W::kMatched)
      matched += (matched.empty() ? "" : " OR ") + (condition.empty() ? "TRUE" : condition);
    sql += " THEN ";
    if (clause.action == A::kDelete) {
      sql += "DELETE";
    } else if (clause.action == A::kUpdate) {
      HAKOBU_ASSIGN_OR_RETURN(std::string set, SetSql(clause.set, table, alias, scope, clause.at, condition));
      sql += "UPDATE SET " + set;
    } else {
      HAKOBU_ASSIGN_OR_RETURN(std::string insert, MergeInsert(clause, table, source, condition));
      sql += insert;
    }
  }
  out.duckdb = sql + " RETURNING merge_action";
  if (!matched.empty()) {
    out.checks.push_back(
        fmt::format("SELECT 1 FROM {} AS \"_t\" JOIN {} ON {} WHERE {} GROUP BY \"_t\".rowid HAVING "
                    "count(*) > 1 LIMIT 1",
                    table.target, from, on.sql, matched));
    out.check_error = "UPDATE/MERGE must match at most one source row for each target row";
  }
  return absl::OkStatus();
}

}  // namespace hakobu::localbq::sql
