// Names: columns, range variables, fields and array elements.
#include <fmt/format.h>

#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {

void Translator::Use(const ScopeColumn& column) {
  if (in_filter_) filtered_.insert(Lower(column.name));
  if (column.table_use >= 0) uses_[static_cast<size_t>(column.table_use)].used.insert(Lower(column.name));
}

ValueOr Translator::Filter(const Expression& expression, const Scope& scope, std::string_view what) {
  const bool outer = std::exchange(in_filter_, true);
  ValueOr value = ExprAs(expression, scope, ScalarType(Type::kBool), what);
  in_filter_ = outer;
  return value;
}

void Translator::RequireFilter(const TableName& name, const TableInfo& table) {
  if (!table.required_filter.empty()) required_filters_.emplace_back(name, table.required_filter);
}

// By names: a condition of an outer query reaches the tables of inner ones.
absl::Status Translator::CheckFilters() const {
  for (const auto& [name, column] : required_filters_) {
    if (filtered_.contains(Lower(column))) continue;
    return absl::InvalidArgumentError(
        fmt::format("Cannot query over table '{}.{}.{}' without a filter over column(s) '{}' that can be "
                    "used for partition "
                    "elimination",
                    name.project, name.dataset, name.table, column));
  }
  return absl::OkStatus();
}

std::string Translator::RowStruct(const RangeVariable& range, Column& type) {
  type = Column();
  type.type = Type::kRecord;
  std::string pack;
  for (const ScopeColumn& column : range.columns) {
    Use(column);
    Column field = column.type;
    field.name = column.name;
    type.fields.push_back(field);
    pack += fmt::format("{}{} := {}", pack.empty() ? "" : ", ", QuoteName(column.name), column.sql);
  }
  return fmt::format("struct_pack({})", pack);
}

std::optional<Value> Translator::LookUpRange(const Scope& scope, const std::string& name) {
  for (const RangeVariable& range : scope.ranges) {
    if (!EqualsIgnoreCase(range.name, name)) continue;
    if (range.value) return *range.value;
    Column type;
    std::string sql = RowStruct(range, type);
    return Of(sql, type);
  }
  return std::nullopt;
}

// A name by itself: a select alias, a column, a range variable; then the same outside.
std::optional<Value> Translator::LookUp(const std::string& name, const Scope& scope, absl::Status& error,
                                        size_t at) {
  for (const Scope* level = &scope; level != nullptr; level = level->outer) {
    auto alias = level->select_aliases.find(Lower(name));
    bool has_alias = alias != level->select_aliases.end();
    if (has_alias && level->aliases_first) return alias->second;
    const ScopeColumn* found = nullptr;
    for (const ScopeColumn& column : level->merged) {
      if (EqualsIgnoreCase(column.name, name)) found = &column;
    }
    bool merged = found != nullptr;
    for (const RangeVariable& range : level->ranges) {
      if (merged) break;
      for (const ScopeColumn& column : range.columns) {
        if (!EqualsIgnoreCase(column.name, name)) continue;
        if (found != nullptr) {
          error = Error(at, fmt::format("Column name {} is ambiguous", name));
          return std::nullopt;
        }
        found = &column;
      }
    }
    if (found != nullptr) {
      Use(*found);
      return Of(found->sql, found->type);
    }
    if (std::optional<Value> range = LookUpRange(*level, name)) return range;
    if (has_alias) return alias->second;
  }
  return std::nullopt;
}

ValueOr Translator::PathValue(const Expression& expression, const Scope& scope) {
  const std::vector<std::string>& names = expression.names;
  absl::Status error;
  std::optional<Value> value;
  size_t next = 1;
  if (names.size() > 1) {  // a range variable's column comes before a column's field
    for (const Scope* level = &scope; level != nullptr && !value; level = level->outer) {
      for (const RangeVariable& range : level->ranges) {
        if (!EqualsIgnoreCase(range.name, names[0])) continue;
        for (const ScopeColumn& column : range.columns) {
          if (!EqualsIgnoreCase(column.name, names[1])) continue;
          Use(column);
          value = Of(column.sql, column.type);
          next = 2;
          break;
        }
        if (!value && range.value) value = *range.value;
        if (!value) {
          return Error(expression.at, fmt::format("Name {} not found inside {}", names[1], names[0]));
        }
        break;
      }
      if (!value) {
        absl::Status ambiguous;
        Scope only = *level;
        only.outer = nullptr;
        value = LookUp(names[0], only, ambiguous, expression.at);
        HAKOBU_RETURN_IF_ERROR(ambiguous);
      }
    }
  } else {
    value = LookUp(names[0], scope, error, expression.at);
    HAKOBU_RETURN_IF_ERROR(error);
  }
  if (!value) {
    std::string upper = Upper(names[0]);
    if (names.size() == 1 && !expression.quoted &&
        (upper == "CURRENT_DATE" || upper == "CURRENT_TIMESTAMP" || upper == "CURRENT_DATETIME" ||
         upper == "CURRENT_TIME")) {
      Expression call;
      call.kind = ExpressionKind::kCall;
      call.at = expression.at;
      call.names = names;
      return Call(call, scope);
    }
    return Error(expression.at, "Unrecognized name: " + names[0]);
  }
  for (; next < names.size(); ++next) {
    HAKOBU_ASSIGN_OR_RETURN(Value field, FieldOf(std::move(*value), names[next], expression.at));
    value = std::move(field);
  }
  return *value;
}

ValueOr Translator::FieldOf(Value base, const std::string& field, size_t at) {
  if (IsScalar(base.type, Type::kJson)) {
    return Of(fmt::format("json_extract({}, {})", base.sql, QuoteText("$.\"" + field + "\"")), Type::kJson);
  }
  if (IsArray(base.type)) {
    return Error(at,
                 fmt::format("Cannot access field {} on a value with type {}", field, TypeText(base.type)));
  }
  if (base.type.type != Type::kRecord) {
    return Error(at,
                 fmt::format("Cannot access field {} on a value with type {}", field, TypeText(base.type)));
  }
  for (const Column& candidate : base.type.fields) {
    if (EqualsIgnoreCase(candidate.name, field)) {
      return Of(fmt::format("struct_extract({}, {})", base.sql, QuoteText(candidate.name)), candidate);
    }
  }
  return Error(at, fmt::format("Field name {} does not exist in {}", field, TypeText(base.type)));
}

ValueOr Translator::IndexOf(const Expression& expression, const Scope& scope) {
  HAKOBU_ASSIGN_OR_RETURN(Value base, Expr(*expression.arguments[0], scope));
  HAKOBU_ASSIGN_OR_RETURN(Value index, Expr(*expression.arguments[1], scope));
  if (IsScalar(base.type, Type::kJson)) {
    if (IsScalar(index.type, Type::kString)) {
      if (index.literal) return FieldOf(std::move(base), index.text, expression.at);
      return Error(expression.at, "JSON subscript with an expression is not supported");
    }
    if (IsScalar(index.type, Type::kInt64)) {
      return Of(
          fmt::format("json_extract({}, CASE WHEN {} >= 0 THEN {} END)", base.sql, index.sql, index.sql),
          Type::kJson);
    }
  }
  std::optional<Value> position = Coerce(index, ScalarType(Type::kInt64));
  if (!IsArray(base.type) || !position) {
    return Error(expression.at, fmt::format("Element access using [] is not supported on values of type {}",
                                            TypeText(base.type)));
  }
  bool ordinal = expression.text == "ORDINAL" || expression.text == "SAFE_ORDINAL";
  bool safe = expression.text.starts_with("SAFE");
  std::string number = ordinal ? position->sql : fmt::format("({} + 1)", position->sql);
  std::string element = fmt::format("list_extract({}, {})", base.sql, number);
  std::string condition = fmt::format("{} < 1 OR {} > len({})", number, number, base.sql);
  if (safe)
    return Of(fmt::format("(CASE WHEN {} THEN NULL ELSE {} END)", condition, element), ElementOf(base.type));
  return Of(fmt::format("(CASE WHEN {} THEN error('Array index ' || {} || ' is out of bounds') ELSE {} END)",
                        condition, position->sql, element),
            ElementOf(base.type));
}

}  // namespace hakobu::localbq::sql
