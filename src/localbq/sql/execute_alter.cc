// ALTER TABLE carried out on the catalog.
#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"
#include "localbq/sql/execute_internal.h"
#include "localbq/sql/lexer.h"

namespace hakobu::localbq::sql {
namespace {

// The column at a path "a.b.c"; nullptr: none.
Column* ColumnAt(Schema& schema, std::string_view path) {
  std::string_view name = path.substr(0, path.find('.'));
  for (Column& column : schema) {
    if (!SameName(column.name, name)) continue;
    return name.size() == path.size() ? &column : ColumnAt(column.fields, path.substr(name.size() + 1));
  }
  return nullptr;
}

absl::Status NoColumn(const Table& table, std::string_view name) {
  return absl::InvalidArgumentError(fmt::format("Column not found in {}: {}", DisplayName(table.id), name));
}

bool Widens(const Column& from, const Column& to) {
  if ((from.mode == Mode::kRepeated) != (to.mode == Mode::kRepeated)) return false;
  if (from.type == to.type) {
    bool length = to.max_length == 0 || (from.max_length > 0 && from.max_length <= to.max_length);
    bool digits = to.precision == 0 || (from.precision > 0 && from.scale <= to.scale &&
                                        from.precision - from.scale <= to.precision - to.scale);
    return length && digits;
  }
  bool number = to.type == Type::kNumeric || to.type == Type::kBigNumeric || to.type == Type::kFloat64;
  if (from.type == Type::kInt64) return number;
  if (from.type == Type::kNumeric) return to.type == Type::kBigNumeric || to.type == Type::kFloat64;
  return false;
}

absl::Status SetColumnOptions(const AlterAction& action, Column& column) {
  for (const Option& option : action.options) {
    if (option.name == "description") {
      column.description = option.text;
    } else if (option.name == "rounding_mode") {
      column.rounding_mode = option.text;
    } else {
      return BadOption(option);
    }
  }
  return absl::OkStatus();
}

bool IsKey(const Table& table, std::string_view column) {
  return std::ranges::any_of(table.primary_key,
                             [&](const std::string& name) { return SameName(name, column); });
}

// Keys are neither renamed nor retyped, nor is anything while a table is streamed to.
// Source: https://cloud.google.com/bigquery/docs/primary-foreign-keys, managing-table-schemas
absl::Status CheckAlterable(const AlterAction& action, const Run& run, const Table& table) {
  const bool renames = action.kind == AlterKind::kRenameColumn;
  const bool retypes = action.kind == AlterKind::kSetDataType;
  const bool moves = action.kind == AlterKind::kRenameTable;
  if (!run.hooks.streaming_alters || !(renames || retypes || moves)) return absl::OkStatus();
  if (moves && !table.primary_key.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("ALTER TABLE RENAME TO is not supported on table {} because it has a primary key. Drop "
                    "the primary key first.",
                    DisplayName(table.id)));
  }
  if (!moves && IsKey(table, action.column)) {
    return absl::InvalidArgumentError(
        fmt::format("ALTER TABLE {} is not supported on column {} because it is part of the primary key.",
                    renames ? "RENAME COLUMN" : "ALTER COLUMN SET DATA TYPE", action.column));
  }
  if (!run.hooks.is_streamed_to || !run.hooks.is_streamed_to(table)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("ALTER TABLE {} is not supported on table {} because it has a streaming buffer or was "
                  "streamed to recently.",
                  moves     ? "RENAME TO"
                  : renames ? "RENAME COLUMN"
                            : "ALTER COLUMN SET DATA TYPE",
                  DisplayName(table.id)));
}

absl::Status DropColumn(std::string_view dropped, Table& table) {
  for (const std::vector<std::string>& names : {table.primary_key, table.clustering}) {
    for (const std::string& name : names) {
      if (SameName(name, dropped)) {
        return absl::InvalidArgumentError(
            fmt::format("Cannot drop column {}: it is a key or clustering column", dropped));
      }
    }
  }
  std::erase_if(table.schema, [&](const Column& each) { return SameName(each.name, dropped); });
  return table.schema.empty() ? absl::InvalidArgumentError("Cannot drop the only column of a table")
                              : absl::OkStatus();
}

absl::Status RenameColumn(const AlterAction& action, Table& table, Column& column,
                          std::vector<std::pair<std::string, std::string>>& renames) {
  if (FindColumn(table.schema, action.text) != nullptr && !SameName(action.text, action.column)) {
    return absl::InvalidArgumentError(fmt::format("Column already exists: {}", action.text));
  }
  renames.emplace_back(column.name, action.text);
  for (std::vector<std::string>* names : {&table.primary_key, &table.clustering}) {
    for (std::string& name : *names) {
      if (SameName(name, action.column)) name = action.text;
    }
  }
  column.name = action.text;
  return absl::OkStatus();
}

absl::Status AlterOne(const AlterAction& action, const Run& run, Table& table,
                      std::vector<std::pair<std::string, std::string>>& renames) {
  HAKOBU_RETURN_IF_ERROR(CheckAlterable(action, run, table));
  Column* column = action.column.empty() ? nullptr : ColumnAt(table.schema, action.column);
  auto missing = [&] { return action.if_exists ? absl::OkStatus() : NoColumn(table, action.column); };
  switch (action.kind) {
    case AlterKind::kAddColumn:
      if (column != nullptr && action.if_exists) return absl::OkStatus();
      if (column != nullptr) {
        return absl::InvalidArgumentError(fmt::format("Column already exists: {}", action.column));
      }
      if (!action.definition.default_expression.empty()) {
        return absl::InvalidArgumentError(
            "Adding a column with a default value to an existing table is not supported");
      }
      table.schema.push_back(action.definition);
      return absl::OkStatus();
    case AlterKind::kDropColumn:
      if (column == nullptr) return missing();
      return DropColumn(action.column, table);
    case AlterKind::kRenameColumn:
      if (column == nullptr) return missing();
      return RenameColumn(action, table, *column, renames);
    case AlterKind::kSetOptions:
      return ApplyOptions(action.options, table);
    case AlterKind::kSetColumnOptions:
      return column == nullptr ? missing() : SetColumnOptions(action, *column);
    case AlterKind::kDropNotNull:
      if (column == nullptr) return missing();
      column->mode = column->mode == Mode::kRequired ? Mode::kNullable : column->mode;
      return absl::OkStatus();
    case AlterKind::kSetDataType:
      if (column == nullptr) return missing();
      if (!Widens(*column, action.definition)) {
        return absl::InvalidArgumentError(
            fmt::format("ALTER TABLE ALTER COLUMN SET DATA TYPE requires that the existing column type ({}) "
                        "is assignable "
                        "to the new type ({})",
                        SqlTypeText(*column), SqlTypeText(action.definition)));
      }
      column->type = action.definition.type;
      column->precision = action.definition.precision;
      column->scale = action.definition.scale;
      column->max_length = action.definition.max_length;
      return absl::OkStatus();
    case AlterKind::kSetDefault: {
      if (column == nullptr) return missing();
      HAKOBU_RETURN_IF_ERROR(TranslateExpression(action.text, *column, run.context).status());
      column->default_expression = action.text;
      return absl::OkStatus();
    }
    case AlterKind::kDropDefault:
      if (column == nullptr) return missing();
      column->default_expression.clear();
      return absl::OkStatus();
    case AlterKind::kAddPrimaryKey:
      if (!table.primary_key.empty()) return absl::InvalidArgumentError("Table already has a primary key");
      for (const std::string& name : action.key) {
        if (FindColumn(table.schema, name) == nullptr) return NoColumn(table, name);
      }
      table.primary_key = action.key;
      return CheckPrimaryKey(table.schema, table.primary_key);
    case AlterKind::kDropPrimaryKey:
      if (table.primary_key.empty() && !action.if_exists)
        return absl::InvalidArgumentError("Table has no primary key");
      table.primary_key.clear();
      return absl::OkStatus();
    case AlterKind::kAddForeignKey:
      table.foreign_keys.push_back(KeyOf(action.foreign_key));
      return absl::OkStatus();
    case AlterKind::kDropConstraint: {
      size_t gone = std::erase_if(table.foreign_keys,
                                  [&](const auto& key) { return SameName(key.name, action.column); });
      if (gone == 0 && !action.if_exists) {
        return absl::InvalidArgumentError(fmt::format("Constraint not found: {}", action.column));
      }
      return absl::OkStatus();
    }
    case AlterKind::kRenameTable:
    case AlterKind::kSetDefaultCollate:
      break;
  }
  return absl::InvalidArgumentError("This ALTER TABLE action is not supported together with others");
}

}  // namespace

absl::Status ExecuteAlter(const Statement& statement, Run& run, Answer& answer) {
  answer.ddl_operation = "ALTER";
  TableId id = IdOf(statement.target);
  if (statement.actions.size() == 1 && statement.actions[0].kind == AlterKind::kRenameTable) {
    if (const absl::StatusOr<TablePtr> table = run.catalog.GetTable(id); table.ok()) {
      HAKOBU_RETURN_IF_ERROR(CheckAlterable(statement.actions[0], run, **table));
    }
    return run.catalog.RenameTable(id, statement.actions[0].text).status();
  }
  std::vector<std::pair<std::string, std::string>> renames;
  for (const AlterAction& action : statement.actions) {
    if (action.kind == AlterKind::kRenameColumn) renames.emplace_back(action.column, action.text);
  }
  std::vector<std::pair<std::string, std::string>> seen;
  absl::Status status = run.catalog
                            .UpdateTable(
                                id, "",
                                [&](Table& table) -> absl::Status {
                                  seen.clear();
                                  for (const AlterAction& action : statement.actions) {
                                    HAKOBU_RETURN_IF_ERROR(AlterOne(action, run, table, seen));
                                  }
                                  return ApplyOptions(statement.options, table);
                                },
                                renames)
                            .status();
  if (status.code() == absl::StatusCode::kNotFound && statement.if_exists) {
    answer.ddl_operation = "SKIP";
    return absl::OkStatus();
  }
  return QueryFailure(status);
}

}  // namespace hakobu::localbq::sql
