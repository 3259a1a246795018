// SELECT, set operations and WITH.
#include <fmt/format.h>

#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {
namespace {

// Names that DuckDB can keep apart: BigQuery's, unless empty or repeated.
void NameColumns(QueryResult& result) {
  std::set<std::string> seen;
  result.sql_names.clear();
  for (size_t i = 0; i < result.columns.size(); ++i) {
    std::string name = result.columns[i].name;
    if (name.empty() || !seen.insert(Lower(name)).second) {
      name = fmt::format("_c{}", i);
      seen.insert(name);
    }
    result.sql_names.push_back(name);
  }
}

// A query's result keeps a column's type, not its parameters, description, default and tags.
void DropParameters(Column& column) {
  Column plain;
  plain.name = column.name;
  plain.type = column.type;
  plain.mode = column.mode;
  plain.range_element = column.range_element;
  plain.fields = std::move(column.fields);
  for (Column& field : plain.fields) DropParameters(field);
  column = std::move(plain);
}

std::string SetCastSql(const QueryResult& result, const std::vector<Column>& types) {
  bool same = true;
  const auto is_null = [](const Column& column) { return column.description == "\1null"; };
  for (size_t i = 0; i < types.size(); ++i)
    same = same && SameType(result.columns[i], types[i]) && is_null(result.columns[i]) == is_null(types[i]);
  if (same) return result.sql;
  std::string items;
  for (size_t i = 0; i < types.size(); ++i) {
    Value value;
    value.sql = "\"_s\"." + QuoteName(result.sql_names[i]);
    value.type = result.columns[i];
    value.type.name.clear();
    // To DuckDB a bare NULL is an integer.
    const std::string sql = is_null(result.columns[i])
                                ? fmt::format("CAST({} AS {})", value.sql, DuckDbType(types[i]))
                                : Coerce(value, types[i])->sql;
    items += fmt::format("{}{} AS {}", i > 0 ? ", " : "", sql, QuoteName(result.sql_names[i]));
  }
  if (result.has_round) items += fmt::format(", \"_s\".{}", kRoundColumn);
  return fmt::format("SELECT {} FROM ({}) AS \"_s\"", items, result.sql);
}

// A condition that ends a recursion without an end.
std::string RoundGuard(std::string_view round, bool follows_where) {
  return fmt::format(
      "{} (CASE WHEN {} >= 500 THEN error('A recursive CTE has reached the maximum number of iterations: "
      "500') "
      "ELSE TRUE END)",
      follows_where ? " AND" : " WHERE", round);
}

}  // namespace

absl::StatusOr<QueryResult> Translator::TranslateQuery(const Query& query, const Scope* outer) {
  bool with = !query.with.empty();
  if (with) common_tables_.emplace_back();
  auto run = [&]() -> absl::StatusOr<QueryResult> {
    std::string prefix;
    if (with) {
      HAKOBU_ASSIGN_OR_RETURN(prefix, CommonTables(query, outer));
    }
    HAKOBU_ASSIGN_OR_RETURN(QueryResult result, QueryBody(query, outer));
    result.sql = prefix + result.sql;
    return result;
  };
  absl::StatusOr<QueryResult> result = run();
  if (with) common_tables_.pop_back();
  return result;
}

absl::StatusOr<std::string> Translator::CommonTables(const Query& query, const Scope* outer) {
  std::string prefix = query.recursive ? "WITH RECURSIVE " : "WITH ";
  size_t level = common_tables_.size() - 1;
  bool first = true;
  for (const CommonTable& table : query.with) {
    std::string key = Lower(table.name);
    if (common_tables_[level].contains(key)) {
      return Error(table.at, fmt::format("Duplicate alias {} for WITH subquery", table.name));
    }
    CommonTableInfo info;
    info.sql_name = fmt::format("{}~{}", table.name, ++counter_);
    if (query.recursive && !table.query->set_operator.empty() && table.query->with.empty()) {
      HAKOBU_ASSIGN_OR_RETURN(QueryResult base, TranslateQuery(*table.query->left, outer));
      info.columns = base.columns;
      info.sql_columns = base.sql_names;
      // Rows that are told apart cannot be counted so: the same row of another round would be a new one.
      // Such a recursion could have no end that is seen.
      info.counts_rounds = table.query->set_operator == "UNION ALL" && table.query->right->select != nullptr;
      info.is_endless = !info.counts_rounds;
      common_tables_[level][key] = info;
      recursive_term_ = info.counts_rounds ? table.query->right->select.get() : nullptr;
      rounds_of_.clear();
    }
    HAKOBU_ASSIGN_OR_RETURN(QueryResult result, TranslateQuery(*table.query, outer));
    recursive_term_ = nullptr;
    info.counts_rounds = info.is_endless = false;
    info.columns = result.columns;
    info.sql_columns = result.sql_names;
    common_tables_[level][key] = info;
    std::string names;
    for (const std::string& name : result.sql_names) names += (names.empty() ? "" : ", ") + QuoteName(name);
    if (result.has_round) names += fmt::format(", {}", kRoundColumn);
    prefix += fmt::format("{}{}({}) AS ({})", first ? "" : ", ", QuoteName(info.sql_name), names, result.sql);
    first = false;
  }
  return prefix + " ";
}

absl::StatusOr<QueryResult> Translator::QueryBody(const Query& query, const Scope* outer) {
  if (query.select) return SelectQuery(query, *query.select, outer);
  QueryResult result;
  if (query.nested) {
    HAKOBU_ASSIGN_OR_RETURN(result, TranslateQuery(*query.nested, outer));
  } else {
    HAKOBU_ASSIGN_OR_RETURN(result, SetOperation(query, outer));
  }
  if (query.order.empty() && !query.limit) {
    result.sql = query.nested ? "(" + result.sql + ")" : result.sql;
    return result;
  }
  Scope scope;
  scope.outer = outer;
  RangeVariable range;
  std::vector<Item> items;
  for (size_t i = 0; i < result.columns.size(); ++i) {
    std::string sql = "\"_q\"." + QuoteName(result.sql_names[i]);
    range.columns.push_back({result.columns[i].name, result.columns[i], sql, -1});
    Item item;
    item.value.sql = sql;
    item.value.type = result.columns[i];
    item.name = result.columns[i].name;
    items.push_back(std::move(item));
  }
  scope.ranges.push_back(std::move(range));
  HAKOBU_ASSIGN_OR_RETURN(std::string order, OrderItems(query, scope, items, false));
  HAKOBU_ASSIGN_OR_RETURN(std::string limit, LimitSql(query, scope));
  result.sql = fmt::format("SELECT * FROM ({}) AS \"_q\"{}{}", result.sql, order, limit);
  return result;
}

absl::StatusOr<QueryResult> Translator::SetOperation(const Query& query, const Scope* outer) {
  HAKOBU_ASSIGN_OR_RETURN(QueryResult left, TranslateQuery(*query.left, outer));
  HAKOBU_ASSIGN_OR_RETURN(QueryResult right, TranslateQuery(*query.right, outer));
  if (left.columns.size() != right.columns.size()) {
    return Error(
        query.at,
        fmt::format("Queries in {} have mismatched column count; query 1 has {} column{}, query 2 has "
                    "{} column{}",
                    query.set_operator == "UNION" ? "UNION DISTINCT" : query.set_operator,
                    left.columns.size(), left.columns.size() == 1 ? "" : "s", right.columns.size(),
                    right.columns.size() == 1 ? "" : "s"));
  }
  std::vector<Column> types;
  for (size_t i = 0; i < left.columns.size(); ++i) {
    Value a, b;
    a.type = left.columns[i];
    b.type = right.columns[i];
    a.type.name = b.type.name = "";
    // A bare NULL column takes the other side's type.
    a.null_literal = left.columns[i].description == "\1null";
    b.null_literal = right.columns[i].description == "\1null";
    std::optional<Column> type = Supertype({a, b});
    if (!type) {
      return Error(query.at, fmt::format("Column {} in {} has incompatible types: {}, {}", i + 1,
                                         query.set_operator, TypeText(a.type), TypeText(b.type)));
    }
    type->name = left.columns[i].name;
    type->description = a.null_literal && b.null_literal ? "\1null" : "";
    types.push_back(*type);
  }
  QueryResult result;
  result.columns = types;
  result.as_value = left.as_value;
  NameColumns(result);
  auto wrap = [](const std::string& sql) { return "(" + sql + ")"; };
  std::vector<std::string> names = left.sql_names;
  std::string first = SetCastSql(left, types);
  if (right.has_round) first = fmt::format("SELECT *, 0 AS {} FROM ({}) AS \"_s\"", kRoundColumn, first);
  result.has_round = right.has_round;
  result.sql = fmt::format("{} {} {}", wrap(first), query.set_operator, wrap(SetCastSql(right, types)));
  result.sql_names = names;
  return result;
}

absl::StatusOr<std::string> Translator::LimitSql(const Query& query, const Scope& scope) {
  std::string sql;
  for (auto [expression, word] :
       {std::pair(query.limit.get(), "LIMIT"), std::pair(query.offset.get(), "OFFSET")}) {
    if (expression == nullptr) continue;
    HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*expression, scope));
    if (!value.literal || !IsScalar(value.type, Type::kInt64) || value.text.starts_with('-')) {
      return Error(expression->at,
                   fmt::format("{} expects a non-negative integer literal or parameter", word));
    }
    sql += fmt::format(" {} {}", word, value.text);
  }
  return sql;
}

absl::Status Translator::StarItems(const SelectItem& item, const Scope& scope, std::vector<Item>& items) {
  std::vector<Item> found;
  auto add = [&](const ScopeColumn& column) {
    Use(column);
    Item entry;
    entry.value.sql = column.sql;
    entry.value.type = column.type;
    entry.name = column.name;
    found.push_back(std::move(entry));
  };
  const RangeVariable* range = nullptr;
  if (item.expression && item.expression->kind == ExpressionKind::kPath &&
      item.expression->names.size() == 1) {
    for (const Scope* level = &scope; level != nullptr && range == nullptr; level = level->outer) {
      for (const RangeVariable& candidate : level->ranges) {
        if (EqualsIgnoreCase(candidate.name, item.expression->names[0])) range = &candidate;
      }
    }
  }
  if (range != nullptr) {
    for (const ScopeColumn& column : range->columns) add(column);
  } else if (item.expression) {
    HAKOBU_ASSIGN_OR_RETURN(Value base, Expr(*item.expression, scope));
    if (IsArray(base.type) || base.type.type != Type::kRecord) {
      return Error(item.at, "Dot-star is not supported for type " + TypeText(base.type));
    }
    for (const Column& field : base.type.fields) {
      HAKOBU_ASSIGN_OR_RETURN(Value value, FieldOf(base, field.name, item.at));
      found.push_back({std::move(value), field.name});
    }
  } else {
    if (scope.ranges.empty()) return Error(item.at, "SELECT * must have a FROM clause");
    for (const ScopeColumn& column : scope.merged) add(column);
    for (const RangeVariable& entry : scope.ranges) {
      for (const ScopeColumn& column : entry.columns) {
        bool merged = false;
        for (const ScopeColumn& other : scope.merged)
          merged = merged || EqualsIgnoreCase(other.name, column.name);
        if (!merged) add(column);
      }
      if (entry.value && entry.columns.empty()) found.push_back({*entry.value, entry.name});
    }
  }
  for (const std::string& name : item.except) {
    size_t before = found.size();
    std::erase_if(found, [&](const Item& entry) { return EqualsIgnoreCase(entry.name, name); });
    if (found.size() == before) {
      return Error(item.at, fmt::format("Column {} in SELECT * EXCEPT list does not exist", name));
    }
  }
  for (const auto& [expression, name] : item.replace) {
    bool replaced = false;
    for (Item& entry : found) {
      if (!EqualsIgnoreCase(entry.name, name)) continue;
      HAKOBU_ASSIGN_OR_RETURN(entry.value, Expr(*expression, scope));
      replaced = true;
    }
    if (!replaced)
      return Error(item.at, fmt::format("Column {} in SELECT * REPLACE list does not exist", name));
  }
  if (found.empty()) return Error(item.at, "SELECT * expands to zero columns after applying EXCEPT");
  for (Item& entry : found) items.push_back(std::move(entry));
  return absl::OkStatus();
}

absl::Status Translator::SelectItems(const Select& select, const Scope& scope, std::vector<Item>& items) {
  for (const SelectItem& item : select.items) {
    if (item.star) {
      HAKOBU_RETURN_IF_ERROR(StarItems(item, scope, items));
      continue;
    }
    Item entry;
    HAKOBU_ASSIGN_OR_RETURN(entry.value, Expr(*item.expression, scope));
    entry.name = item.alias;
    if (entry.name.empty() && item.expression->kind == ExpressionKind::kPath)
      entry.name = item.expression->names.back();
    if (entry.name.empty() && item.expression->kind == ExpressionKind::kField)
      entry.name = item.expression->text;
    items.push_back(std::move(entry));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Translator::GroupSql(const Select& select, const Scope& scope,
                                                 const std::vector<Item>& items) {
  if (select.group == GroupKind::kNone) return std::string();
  if (select.group == GroupKind::kAll) return std::string(" GROUP BY ALL");
  std::string list;
  for (const ExpressionPtr& expression : select.group_by) {
    std::string sql;
    if (expression->kind == ExpressionKind::kInteger) {
      int64_t ordinal = std::atoll(expression->text.c_str());
      if (ordinal < 1 || ordinal > static_cast<int64_t>(items.size())) {
        return Error(expression->at,
                     fmt::format("GROUP BY column number must be between 1 and {}", items.size()));
      }
      sql = items[static_cast<size_t>(ordinal - 1)].value.sql;
    } else if (expression->kind == ExpressionKind::kPath && expression->names.size() == 1) {
      for (const Item& item : items) {
        if (EqualsIgnoreCase(item.name, expression->names[0])) sql = item.value.sql;
      }
    }
    if (sql.empty()) {
      HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(*expression, scope));
      if (value.literal) return Error(expression->at, "Cannot GROUP BY literal values");
      sql = value.sql;
    }
    list += (list.empty() ? "" : ", ") + sql;
  }
  if (select.group == GroupKind::kRollup) return " GROUP BY ROLLUP(" + list + ")";
  if (select.group == GroupKind::kCube) return " GROUP BY CUBE(" + list + ")";
  return " GROUP BY " + list;
}

absl::StatusOr<std::string> Translator::OrderItems(const Query& query, const Scope& scope,
                                                   const std::vector<Item>& items, bool distinct) {
  std::string list;
  for (const OrderItem& order : query.order) {
    const Expression& expression = *order.expression;
    std::string sql;
    Column type;
    auto item = [&](size_t index) {
      type = items[index].value.type;
      sql =
          IsScalar(type, Type::kFloat64) && !distinct ? items[index].value.sql : fmt::format("{}", index + 1);
    };
    if (expression.kind == ExpressionKind::kInteger) {
      int64_t ordinal = std::atoll(expression.text.c_str());
      if (ordinal < 1 || ordinal > static_cast<int64_t>(items.size())) {
        return Error(expression.at,
                     fmt::format("ORDER BY column number must be between 1 and {}", items.size()));
      }
      item(static_cast<size_t>(ordinal - 1));
    } else if (expression.kind == ExpressionKind::kPath && expression.names.size() == 1) {
      for (size_t i = 0; i < items.size(); ++i) {
        if (EqualsIgnoreCase(items[i].name, expression.names[0])) item(i);
      }
    }
    if (sql.empty()) {
      HAKOBU_ASSIGN_OR_RETURN(Value value, Expr(expression, scope));
      if (IsArray(value.type) || value.type.type == Type::kRecord || IsScalar(value.type, Type::kJson)) {
        return Error(expression.at, "ORDER BY does not support expressions of type " + TypeText(value.type));
      }
      type = value.type;
      sql = value.literal ? fmt::format("({})", value.sql) : value.sql;
    }
    list += (list.empty() ? "" : ", ") + OrderKey(sql, type, order, distinct);
  }
  return list.empty() ? list : " ORDER BY " + list;
}

// One item: a struct of them all.
void Translator::PackStruct(std::vector<Item>& items) {
  Value row;
  row.type.type = Type::kRecord;
  std::string pack;
  for (size_t i = 0; i < items.size(); ++i) {
    Column field = items[i].value.type;
    field.name = items[i].name.empty() ? fmt::format("_field_{}", i + 1) : items[i].name;
    pack += fmt::format("{}{} := {}", i > 0 ? ", " : "", QuoteName(field.name), items[i].value.sql);
    row.type.fields.push_back(std::move(field));
  }
  row.sql = fmt::format("struct_pack({})", pack);
  items.clear();
  items.push_back({std::move(row), ""});
}

std::string Translator::SelectList(const std::vector<Item>& items, const QueryResult& result, bool is_top) {
  std::string list;
  for (size_t i = 0; i < items.size(); ++i) {
    std::string sql = items[i].value.sql;
    if (is_top && IsArray(items[i].value.type) && items[i].value.elements.empty()) {
      sql = fmt::format(
          "(CASE WHEN len({}) > list_count({}) THEN error({}) ELSE {} END)", sql, sql,
          QuoteText("Array cannot have a null element; error in writing field " + items[i].name), sql);
    }
    list += fmt::format("{}{} AS {}", i > 0 ? ", " : "", sql, QuoteName(result.sql_names[i]));
  }
  return list;
}

absl::StatusOr<QueryResult> Translator::SelectQuery(const Query& query, const Select& select,
                                                    const Scope* outer) {
  Scope scope;
  scope.outer = outer;
  scope.windows = &select.windows;
  std::string from;
  if (select.from) {
    HAKOBU_ASSIGN_OR_RETURN(from, FromSql(*select.from, scope));
    from = " FROM " + from;
  }
  std::vector<Item> items;
  const int aggregates = aggregates_;
  HAKOBU_RETURN_IF_ERROR(SelectItems(select, scope, items));
  const bool counts_rounds =
      &select == recursive_term_ && !rounds_of_.empty() && aggregates == aggregates_ && !select.distinct;
  std::string tail;
  if (select.where) {
    if (!select.from) return Error(select.where->at, "Query without FROM clause cannot have a WHERE clause");
    HAKOBU_ASSIGN_OR_RETURN(Value where, Filter(*select.where, scope, "WHERE clause"));
    tail += fmt::format(" WHERE ({})", where.sql);
  }
  HAKOBU_ASSIGN_OR_RETURN(std::string group, GroupSql(select, scope, items));
  const std::string round =
      counts_rounds && group.empty() ? rounds_of_ + "." + std::string(kRoundColumn) : "";
  if (!round.empty()) tail += RoundGuard(round, select.where != nullptr);
  tail += group;
  for (const Item& item : items) {
    if (!item.name.empty()) scope.select_aliases.emplace(Lower(item.name), item.value);
  }
  if (select.having) {
    HAKOBU_ASSIGN_OR_RETURN(Value having,
                            ExprAs(*select.having, scope, ScalarType(Type::kBool), "HAVING clause"));
    tail += " HAVING " + having.sql;
  }
  if (select.qualify) {
    HAKOBU_ASSIGN_OR_RETURN(Value qualify,
                            ExprAs(*select.qualify, scope, ScalarType(Type::kBool), "QUALIFY clause"));
    tail += " QUALIFY " + qualify.sql;
  }
  if (select.as_struct || (select.as_value && items.size() == 1)) {
    if (select.as_struct) PackStruct(items);
    items[0].name.clear();
  } else if (select.as_value) {
    return Error(select.at, "SELECT AS VALUE query must have exactly one column");
  }
  scope.aliases_first = true;
  HAKOBU_ASSIGN_OR_RETURN(std::string order, OrderItems(query, scope, items, select.distinct));
  HAKOBU_ASSIGN_OR_RETURN(std::string limit, LimitSql(query, scope));

  QueryResult result;
  result.as_value = select.as_struct || select.as_value;
  for (const Item& item : items) {
    Column column = item.value.type;
    DropParameters(column);
    column.name = item.name;
    if (column.mode == Mode::kRequired) column.mode = Mode::kNullable;
    if (item.value.null_literal) column.description = "\1null";
    if (select.distinct && (IsArray(column) || column.type == Type::kJson)) {
      return Error(select.at, fmt::format("Column {} of type {} cannot be used in SELECT DISTINCT",
                                          column.name, TypeText(column)));
    }
    result.columns.push_back(std::move(column));
  }
  NameColumns(result);
  std::string list = SelectList(items, result, &select == top_select_);
  if (!round.empty()) list += fmt::format(", {} + 1 AS {}", round, kRoundColumn);
  result.has_round = !round.empty();
  result.sql =
      fmt::format("SELECT {}{}{}{}{}{}", select.distinct ? "DISTINCT " : "", list, from, tail, order, limit);
  return result;
}

}  // namespace hakobu::localbq::sql
