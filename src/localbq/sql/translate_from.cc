// FROM: tables, views, common tables, subqueries, UNNEST and joins.
#include <fmt/format.h>

#include "localbq/sql/parser.h"
#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {

absl::StatusOr<TableName> Translator::FullName(const std::vector<std::string>& given, size_t at) const {
  std::vector<std::string> path = given;
  std::string information;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    if (!EqualsIgnoreCase(path[i], "INFORMATION_SCHEMA")) continue;
    information = "INFORMATION_SCHEMA." + Upper(path[i + 1]);
    if (i + 2 != path.size()) return Error(at, "Invalid INFORMATION_SCHEMA view name");
    path.resize(i);
    break;
  }
  TableName name;
  if (!information.empty()) {
    name.table = information;
    name.project = context_.project;
    if (path.size() == 2) name.project = path[0];
    if (path.size() > 2) return Error(at, "Invalid INFORMATION_SCHEMA view name");
    if (!path.empty()) {
      name.dataset = path.back();
    } else if (!context_.default_dataset.empty()) {
      name.dataset = context_.default_dataset;
    }
    return name;
  }
  if (path.size() == 1) {
    if (context_.default_dataset.empty() || qualified_only_) {
      return absl::InvalidArgumentError(
          fmt::format("Table \"{}\" must be qualified with a dataset (e.g. dataset.table).", path[0]));
    }
    name.project =
        context_.default_dataset_project.empty() ? context_.project : context_.default_dataset_project;
    name.dataset = context_.default_dataset;
    name.table = path[0];
    return name;
  }
  if (path.size() == 2) return TableName{context_.project, path[0], path[1]};
  if (path.size() == 3) return TableName{path[0], path[1], path[2]};
  return Error(at, "Invalid table name");
}

absl::StatusOr<TableInfo> Translator::Find(const TableName& name, size_t at) {
  if (name.table.find('*') != name.table.npos) return Error(at, "Wildcard tables are not supported");
  if (context_.resolver == nullptr) return Error(at, "Table not found: " + name.table);
  return context_.resolver->FindTable(name);
}

absl::Status Translator::AddRange(RangeVariable range, Scope& scope, size_t at) {
  for (const RangeVariable& other : scope.ranges) {
    if (!range.name.empty() && EqualsIgnoreCase(other.name, range.name)) {
      return Error(at, fmt::format("Duplicate table alias {} in the same FROM clause", range.name));
    }
  }
  scope.ranges.push_back(std::move(range));
  return absl::OkStatus();
}

absl::StatusOr<std::string> Translator::FromSql(const FromItem& item, Scope& scope) {
  switch (item.kind) {
    case FromKind::kJoin:
      return JoinSql(item, scope);
    case FromKind::kTable:
      return TableSql(item, scope);
    case FromKind::kUnnest: {
      HAKOBU_ASSIGN_OR_RETURN(Value array, Expr(*item.array, scope));
      return UnnestSql(item, scope, array);
    }
    case FromKind::kQuery:
      break;
  }
  HAKOBU_ASSIGN_OR_RETURN(QueryResult query, TranslateQuery(*item.query, scope.outer));
  std::string alias = fmt::format("{}~{}", item.alias, ++counter_);
  RangeVariable range;
  range.name = item.alias;
  for (size_t i = 0; i < query.columns.size(); ++i) {
    std::string sql = QuoteName(alias) + "." + QuoteName(query.sql_names[i]);
    if (query.as_value && query.columns[i].type == Type::kRecord && !IsArray(query.columns[i])) {
      for (const Column& field : query.columns[i].fields) {
        range.columns.push_back(
            {field.name, field, fmt::format("struct_extract({}, {})", sql, QuoteText(field.name)), -1});
      }
      Value row;
      row.sql = sql;
      row.type = query.columns[i];
      range.value = row;
    } else if (query.as_value) {
      Value row;
      row.sql = sql;
      row.type = query.columns[i];
      range.value = row;
    } else {
      range.columns.push_back({query.columns[i].name, query.columns[i], sql, -1});
    }
  }
  HAKOBU_RETURN_IF_ERROR(AddRange(std::move(range), scope, item.at));
  return fmt::format("({}) AS {}", query.sql, QuoteName(alias));
}

absl::Status Translator::ExpandView(const TableName& full, size_t at, TableInfo& table,
                                    std::vector<std::string>& sql_names) {
  if (view_depth_ >= 16) return Error(at, "Views are nested too deeply");
  HAKOBU_ASSIGN_OR_RETURN(std::vector<ParsedStatement> parsed, ParseScript(table.view_query));
  if (parsed.size() != 1 || parsed[0].kind != StatementKind::kSelect) {
    return absl::InvalidArgumentError(fmt::format("Invalid view {}.{}", full.dataset, full.table));
  }
  Context context;
  context.project = full.project;
  context.resolver = context_.resolver;
  context.session_user = context_.session_user;
  context.now_us = context_.now_us;
  Translator inner(table.view_query, context);
  inner.view_depth_ = view_depth_ + 1;
  inner.counter_ = counter_ + 1000;
  context_.resolver->EnterView(full);
  absl::StatusOr<QueryResult> translated = inner.TranslateQuery(*parsed[0].query, nullptr);
  context_.resolver->LeaveView();
  HAKOBU_ASSIGN_OR_RETURN(QueryResult query, std::move(translated));
  table.source = "(" + query.sql + ")";
  Schema schema = query.columns;
  for (size_t i = 0; i < schema.size() && i < table.schema.size(); ++i) schema[i].name = table.schema[i].name;
  table.schema = schema;
  sql_names = query.sql_names;
  for (TableUse& inner_use : inner.uses_) uses_.push_back(std::move(inner_use));
  for (auto& required : inner.required_filters_) required_filters_.push_back(std::move(required));
  filtered_.merge(inner.filtered_);
  return absl::OkStatus();
}

absl::StatusOr<std::string> Translator::TableSql(const FromItem& item, Scope& scope) {
  std::string name = item.alias.empty() ? item.path.back() : item.alias;
  if (item.path.size() > 1) {  // t.array: a correlated UNNEST
    for (const RangeVariable& range : scope.ranges) {
      if (!EqualsIgnoreCase(range.name, item.path[0])) continue;
      Expression path;
      path.kind = ExpressionKind::kPath;
      path.at = item.at;
      path.names = item.path;
      HAKOBU_ASSIGN_OR_RETURN(Value array, Expr(path, scope));
      return UnnestSql(item, scope, array);
    }
  }
  std::string alias = fmt::format("{}~{}", name, ++counter_);
  RangeVariable range;
  range.name = name;
  if (item.path.size() == 1) {
    for (auto level = common_tables_.rbegin(); level != common_tables_.rend(); ++level) {
      auto found = level->find(Lower(item.path[0]));
      if (found == level->end()) continue;
      const CommonTableInfo& info = found->second;
      for (size_t i = 0; i < info.columns.size(); ++i) {
        range.columns.push_back({info.columns[i].name, info.columns[i],
                                 QuoteName(alias) + "." + QuoteName(info.sql_columns[i]), -1});
      }
      if (info.counts_rounds) rounds_of_ = QuoteName(alias);
      if (info.is_endless) {
        return Error(item.at,
                     fmt::format("The recursive term of {} must be one SELECT behind UNION ALL", name));
      }
      HAKOBU_RETURN_IF_ERROR(AddRange(std::move(range), scope, item.at));
      return fmt::format("{} AS {}", QuoteName(info.sql_name), QuoteName(alias));
    }
  }
  HAKOBU_ASSIGN_OR_RETURN(TableName full, FullName(item.path, item.at));
  HAKOBU_ASSIGN_OR_RETURN(TableInfo table, Find(full, item.at));
  RequireFilter(full, table);
  int use = static_cast<int>(uses_.size());
  TableUse used{full, table.bytes, {}, table.schema.size(), {}};
  for (size_t i = 0; i < table.column_bytes.size() && i < table.schema.size(); ++i) {
    used.column_bytes[Lower(table.schema[i].name)] = table.column_bytes[i];
  }
  uses_.push_back(std::move(used));
  std::vector<std::string> sql_names;
  if (table.kind == RelationKind::kView) {
    HAKOBU_RETURN_IF_ERROR(ExpandView(full, item.at, table, sql_names));
  }
  for (size_t i = 0; i < table.schema.size(); ++i) {
    const Column& column = table.schema[i];
    std::string sql = QuoteName(alias) + "." + QuoteName(sql_names.empty() ? column.name : sql_names[i]);
    range.columns.push_back({column.name, column, sql, use});
  }
  HAKOBU_RETURN_IF_ERROR(AddRange(std::move(range), scope, item.at));
  return fmt::format("{} AS {}", table.source, QuoteName(alias));
}

absl::StatusOr<std::string> Translator::UnnestSql(const FromItem& item, Scope& scope, const Value& array) {
  if (!IsArray(array.type)) {
    return Error(item.at, "Values referenced in UNNEST must be arrays. UNNEST contains expression of type " +
                              TypeText(array.type));
  }
  std::string alias = fmt::format("_u{}", ++counter_);
  std::string name = item.alias;
  if (name.empty() && item.kind == FromKind::kTable) name = item.path.back();
  RangeVariable range;
  range.name = name;
  Value element;
  element.sql = QuoteName(alias) + ".\"v\"";
  element.type = ElementOf(array.type);
  element.type.name.clear();
  if (element.type.type == Type::kRecord) {
    for (const Column& field : element.type.fields) {
      range.columns.push_back(
          {field.name, field, fmt::format("struct_extract({}, {})", element.sql, QuoteText(field.name)), -1});
    }
  }
  range.value = element;
  HAKOBU_RETURN_IF_ERROR(AddRange(std::move(range), scope, item.at));
  std::string list = QuoteName("_a" + alias);
  std::string offset;
  if (item.with_offset) {
    RangeVariable offsets;
    offsets.name = "";
    offsets.columns.push_back({item.offset_alias, ScalarType(Type::kInt64), QuoteName(alias) + ".\"o\"", -1});
    scope.ranges.push_back(std::move(offsets));
    offset = fmt::format(", unnest(range(len({}))) AS \"o\"", array.sql);
  }
  return fmt::format("LATERAL (SELECT unnest({}) AS \"v\"{}) AS {}", array.sql, offset, QuoteName(alias));
}

absl::StatusOr<std::string> Translator::JoinSql(const FromItem& item, Scope& scope) {
  HAKOBU_ASSIGN_OR_RETURN(std::string left, FromSql(*item.left, scope));
  size_t split = scope.ranges.size();
  size_t merged_before = scope.merged.size();
  std::vector<ScopeColumn> outer_merged = scope.merged;
  HAKOBU_ASSIGN_OR_RETURN(std::string right, FromSql(*item.right, scope));
  if (item.right->kind == FromKind::kJoin) right = "(" + right + ")";
  static_cast<void>(merged_before);
  bool unnest = right.starts_with("LATERAL");
  std::string_view word = item.join == JoinKind::kInner   ? "JOIN"
                          : item.join == JoinKind::kLeft  ? "LEFT JOIN"
                          : item.join == JoinKind::kRight ? "RIGHT JOIN"
                          : item.join == JoinKind::kFull  ? "FULL JOIN"
                                                          : "CROSS JOIN";
  if (unnest && (item.join == JoinKind::kRight || item.join == JoinKind::kFull)) {
    return Error(item.at, fmt::format("{} with a correlated UNNEST is not supported", word));
  }
  if (item.on) {
    HAKOBU_ASSIGN_OR_RETURN(Value on, Filter(*item.on, scope, "JOIN ON clause"));
    return fmt::format("{} {} {} ON {}", left, word, right, on.sql);
  }
  if (item.using_columns.empty()) {
    if (word != "CROSS JOIN") return fmt::format("{} {} {} ON TRUE", left, word, right);
    return fmt::format("{} CROSS JOIN {}", left, right);
  }
  std::string condition;
  for (const std::string& name : item.using_columns) {
    const ScopeColumn *a = nullptr, *b = nullptr;
    for (const ScopeColumn& column : outer_merged) {
      if (EqualsIgnoreCase(column.name, name)) a = &column;
    }
    for (size_t i = 0; i < scope.ranges.size(); ++i) {
      for (const ScopeColumn& column : scope.ranges[i].columns) {
        if (!EqualsIgnoreCase(column.name, name)) continue;
        if (i >= split) {
          b = &column;
        } else if (a == nullptr) {
          a = &column;
        }
      }
    }
    if (a == nullptr || b == nullptr) {
      return Error(item.at, fmt::format("Column {} in USING clause not found on {} side of join", name,
                                        a == nullptr ? "left" : "right"));
    }
    Use(*a);
    Use(*b);
    Value left_value, right_value;
    left_value.sql = a->sql;
    left_value.type = a->type;
    right_value.sql = b->sql;
    right_value.type = b->type;
    HAKOBU_ASSIGN_OR_RETURN(Value equal, Compare("=", left_value, right_value, item.at));
    condition += (condition.empty() ? "" : " AND ") + equal.sql;
    ScopeColumn merged = *a;
    if (item.join == JoinKind::kRight) merged = *b;
    if (item.join == JoinKind::kFull) merged.sql = fmt::format("COALESCE({}, {})", a->sql, b->sql);
    merged.name = name;
    std::erase_if(scope.merged,
                  [&](const ScopeColumn& column) { return EqualsIgnoreCase(column.name, name); });
    scope.merged.push_back(std::move(merged));
  }
  return fmt::format("{} {} {} ON {}", left, word, right, condition);
}

}  // namespace hakobu::localbq::sql
