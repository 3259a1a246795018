// DDL statements carried out on the catalog.
#include <fmt/format.h>

#include <charconv>

#include "absl/time/time.h"
#include "base/status.h"
#include "localbq/sql/execute_internal.h"
#include "localbq/sql/lexer.h"

namespace hakobu::localbq::sql {
namespace {

bool IsTrue(const Option& option) {
  return EqualsIgnoreCase(option.text, "true");
}

std::map<std::string, std::string> Labels(const Option& option) {
  std::map<std::string, std::string> labels;
  for (const auto& [key, value] : option.pairs) labels[key] = value;
  return labels;
}

absl::Status BadOption(const Option& option) {
  return absl::InvalidArgumentError(fmt::format("Unknown option: {}", option.name));
}

absl::StatusOr<int64_t> DaysAsMillis(const Option& option) {
  double days = 0;
  auto [end, error] = std::from_chars(option.text.data(), option.text.data() + option.text.size(), days);
  if (error != std::errc() || end != option.text.data() + option.text.size()) {
    return absl::InvalidArgumentError(
        fmt::format("Invalid value of option {}: {}", option.name, option.text));
  }
  return static_cast<int64_t>(days * 86'400'000);
}

absl::Status Partition(const Partitioning& partitioning, Table& table) {
  if (partitioning.type == "RANGE") {
    table.range_partitioning =
        RangePartitioning{partitioning.column, partitioning.start, partitioning.end, partitioning.interval};
  } else {
    table.time_partitioning = TimePartitioning{partitioning.type, partitioning.column, 0};
  }
  return absl::OkStatus();
}

hakobu::localbq::ForeignKey KeyOf(const ForeignKey& key) {
  hakobu::localbq::ForeignKey out;
  out.name = key.name;
  out.referenced = IdOf(key.referenced_table);
  for (size_t i = 0; i < key.columns.size() && i < key.referenced_columns.size(); ++i) {
    out.columns.emplace_back(key.columns[i], key.referenced_columns[i]);
  }
  return out;
}

absl::Status CreateTable(const Statement& statement, Run& run, Answer& answer) {
  const TableDefinition& definition = statement.definition;
  TableId id = IdOf(definition.name);
  absl::StatusOr<TablePtr> existing = run.catalog.GetTable(id);
  if (existing.ok() && definition.if_not_exists) {
    answer.ddl_operation = "SKIP";
    return absl::OkStatus();
  }
  if (existing.ok() && !definition.or_replace) {
    return absl::AlreadyExistsError(fmt::format("Already Exists: Table {}", DisplayName(id)));
  }
  Table table;
  std::string copy_from;
  if (definition.like) {
    HAKOBU_ASSIGN_OR_RETURN(TablePtr source, run.catalog.GetTable(IdOf(*definition.like)));
    table = *source;
    table.generation = 0;
    table.etag.clear();
    if (definition.copy_data) copy_from = DuckDbName(source->id);
  } else {
    table.schema = definition.schema;
  }
  table.id = id;
  if (!definition.primary_key.empty()) table.primary_key = definition.primary_key;
  for (const ForeignKey& key : definition.foreign_keys) table.foreign_keys.push_back(KeyOf(key));
  if (definition.partitioning) HAKOBU_RETURN_IF_ERROR(Partition(*definition.partitioning, table));
  if (!definition.clustering.empty()) table.clustering = definition.clustering;
  HAKOBU_RETURN_IF_ERROR(ApplyOptions(definition.options, table));
  answer.ddl_operation = existing.ok() ? "REPLACE" : "CREATE";
  std::string query = statement.duckdb;
  if (!copy_from.empty()) query = "SELECT * FROM " + copy_from;
  if (query.empty() && !existing.ok()) return run.catalog.CreateTable(std::move(table)).status();
  Schema schema = table.schema;
  const auto fill = [&](Connection& connection, const Catalog::NewRows& rows) -> absl::Status {
    if (!query.empty()) {
      HAKOBU_ASSIGN_OR_RETURN(const std::shared_ptr<void> guard, Guard(run, connection));
      HAKOBU_RETURN_IF_ERROR(connection.Run(InsertQuery(rows.quoted, schema, query)));
    }
    return BeforeCommit(run, connection, answer);
  };
  return QueryFailure(run.catalog.ReplaceTable(std::move(table), fill).status());
}

absl::Status CreateView(const Statement& statement, Run& run, Answer& answer) {
  const TableDefinition& definition = statement.definition;
  TableId id = IdOf(definition.name);
  absl::StatusOr<TablePtr> existing = run.catalog.GetTable(id);
  if (existing.ok() && definition.if_not_exists) {
    answer.ddl_operation = "SKIP";
    return absl::OkStatus();
  }
  if (existing.ok() && !definition.or_replace) {
    return absl::AlreadyExistsError(fmt::format("Already Exists: Table {}", DisplayName(id)));
  }
  if (existing.ok() && (*existing)->type != TableType::kView) {
    return absl::InvalidArgumentError(fmt::format("{} is not a view", DisplayName(id)));
  }
  Table view;
  view.id = id;
  view.type = TableType::kView;
  view.schema = definition.schema;
  view.view_query = definition.view_query;
  HAKOBU_RETURN_IF_ERROR(ApplyOptions(definition.options, view));
  answer.ddl_operation = existing.ok() ? "REPLACE" : "CREATE";
  if (existing.ok()) HAKOBU_RETURN_IF_ERROR(run.catalog.DeleteTable(id));
  return run.catalog.CreateTable(std::move(view)).status();
}

absl::Status CreateSchema(const Statement& statement, Run& run, Answer& answer) {
  Dataset dataset;
  dataset.id = {statement.target.project, statement.target.dataset};
  for (const Option& option : statement.options) {
    if (option.name == "location") {
      dataset.location = option.text;
    } else if (option.name == "description") {
      dataset.description = option.text;
    } else if (option.name == "friendly_name") {
      dataset.friendly_name = option.text;
    } else if (option.name == "labels") {
      dataset.labels = Labels(option);
    } else if (option.name == "default_table_expiration_days") {
      HAKOBU_ASSIGN_OR_RETURN(dataset.default_table_expiration_ms, DaysAsMillis(option));
    } else {
      return BadOption(option);
    }
  }
  absl::Status status = run.catalog.CreateDataset(std::move(dataset)).status();
  answer.ddl_operation = "CREATE";
  if (status.code() == absl::StatusCode::kAlreadyExists && statement.if_not_exists) {
    answer.ddl_operation = "SKIP";
    return absl::OkStatus();
  }
  return status;
}

absl::Status AlterSchema(const Statement& statement, Run& run, Answer& answer) {
  answer.ddl_operation = "ALTER";
  absl::Status status = run.catalog
                            .UpdateDataset({statement.target.project, statement.target.dataset}, "",
                                           [&](Dataset& dataset) -> absl::Status {
                                             for (const Option& option : statement.options) {
                                               if (option.name == "description") {
                                                 dataset.description = option.text;
                                               } else if (option.name == "friendly_name") {
                                                 dataset.friendly_name = option.text;
                                               } else if (option.name == "labels") {
                                                 dataset.labels = Labels(option);
                                               } else if (option.name == "default_table_expiration_days") {
                                                 dataset.default_table_expiration_ms = 0;
                                                 if (option.is_null) continue;
                                                 HAKOBU_ASSIGN_OR_RETURN(dataset.default_table_expiration_ms,
                                                                         DaysAsMillis(option));
                                               } else {
                                                 return BadOption(option);
                                               }
                                             }
                                             return absl::OkStatus();
                                           })
                            .status();
  if (status.code() == absl::StatusCode::kNotFound && statement.if_exists) return absl::OkStatus();
  return status;
}

absl::Status Drop(const Statement& statement, Run& run, Answer& answer) {
  answer.ddl_operation = "DROP";
  absl::Status status;
  if (statement.kind == StatementKind::kDropSchema) {
    status =
        run.catalog.DeleteDataset({statement.target.project, statement.target.dataset}, statement.cascade);
  } else {
    TableId id = IdOf(statement.target);
    absl::StatusOr<TablePtr> table = run.catalog.GetTable(id);
    status = table.status();
    if (table.ok()) {
      bool view = (*table)->type == TableType::kView;
      if (view != (statement.kind == StatementKind::kDropView)) {
        return absl::InvalidArgumentError(
            fmt::format("Cannot drop {} as it is a {}", DisplayName(id), view ? "view" : "table"));
      }
      status = run.catalog.DeleteTable(id);
    }
  }
  if (status.code() != absl::StatusCode::kNotFound || !statement.if_exists) return status;
  answer.ddl_operation = "SKIP";
  return absl::OkStatus();
}

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

absl::Status AlterOne(const AlterAction& action, const Run& run, Table& table,
                      std::vector<std::pair<std::string, std::string>>& renames) {
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
      for (const std::vector<std::string>& names : {table.primary_key, table.clustering}) {
        for (const std::string& name : names) {
          if (SameName(name, action.column)) {
            return absl::InvalidArgumentError(
                fmt::format("Cannot drop column {}: it is a key or clustering column", action.column));
          }
        }
      }
      std::erase_if(table.schema, [&](const Column& each) { return SameName(each.name, action.column); });
      return table.schema.empty() ? absl::InvalidArgumentError("Cannot drop the only column of a table")
                                  : absl::OkStatus();
    case AlterKind::kRenameColumn:
      if (column == nullptr) return missing();
      if (FindColumn(table.schema, action.text) != nullptr && !SameName(action.text, action.column)) {
        return absl::InvalidArgumentError(fmt::format("Column already exists: {}", action.text));
      }
      renames.emplace_back(column->name, action.text);
      for (std::vector<std::string>* names : {&table.primary_key, &table.clustering}) {
        for (std::string& name : *names) {
          if (SameName(name, action.column)) name = action.text;
        }
      }
      column->name = action.text;
      return absl::OkStatus();
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
      return absl::OkStatus();
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

absl::Status Alter(const Statement& statement, Run& run, Answer& answer) {
  answer.ddl_operation = "ALTER";
  TableId id = IdOf(statement.target);
  if (statement.actions.size() == 1 && statement.actions[0].kind == AlterKind::kRenameTable) {
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

}  // namespace

absl::Status ApplyOptions(const std::vector<Option>& options, Table& table) {
  for (const Option& option : options) {
    const std::string& name = option.name;
    if (name == "description") {
      table.description = option.text;
    } else if (name == "friendly_name") {
      table.friendly_name = option.text;
    } else if (name == "labels") {
      table.labels = Labels(option);
    } else if (name == "require_partition_filter") {
      table.require_partition_filter = IsTrue(option);
    } else if (name == "max_staleness") {
      table.max_staleness = option.text;
    } else if (name == "expiration_timestamp") {
      table.expiration_ms = 0;
      if (option.is_null) continue;
      absl::Time time;
      std::string error;
      if (!absl::ParseTime(absl::RFC3339_full, View(std::string_view(option.text)), &time, &error)) {
        return absl::InvalidArgumentError(
            fmt::format("Invalid value of option expiration_timestamp: {}", option.text));
      }
      table.expiration_ms = absl::ToUnixMillis(time);
    } else if (name == "partition_expiration_days") {
      if (!table.time_partitioning) {
        return absl::InvalidArgumentError(
            "partition_expiration_days can only be set on a table partitioned by time");
      }
      table.time_partitioning->expiration_ms = 0;
      if (option.is_null) continue;
      HAKOBU_ASSIGN_OR_RETURN(table.time_partitioning->expiration_ms, DaysAsMillis(option));
    } else {
      return BadOption(option);
    }
  }
  return absl::OkStatus();
}

namespace {

Access AccessFor(StatementKind kind) {
  switch (kind) {
    case StatementKind::kCreateTable:
    case StatementKind::kCreateTableAsSelect:
    case StatementKind::kCreateView:
    case StatementKind::kCreateSchema:
      return Access::kCreate;
    case StatementKind::kDropTable:
    case StatementKind::kDropView:
    case StatementKind::kDropSchema:
      return Access::kDrop;
    default:
      return Access::kAlter;
  }
}

}  // namespace

absl::Status ExecuteDdl(const Statement& statement, Run& run, Answer& answer) {
  answer.target = statement.target;
  if (run.hooks.check_access)
    HAKOBU_RETURN_IF_ERROR(run.hooks.check_access(statement.target, AccessFor(statement.kind)));
  if (run.hooks.check_read && statement.definition.like)
    HAKOBU_RETURN_IF_ERROR(run.hooks.check_read(*statement.definition.like, nullptr));
  if (run.hooks.admit_write) HAKOBU_RETURN_IF_ERROR(run.hooks.admit_write(statement.kind, statement.target));
  switch (statement.kind) {
    case StatementKind::kCreateTable:
    case StatementKind::kCreateTableAsSelect:
      return CreateTable(statement, run, answer);
    case StatementKind::kCreateView:
      return CreateView(statement, run, answer);
    case StatementKind::kCreateSchema:
      return CreateSchema(statement, run, answer);
    case StatementKind::kAlterSchema:
      return AlterSchema(statement, run, answer);
    case StatementKind::kDropTable:
    case StatementKind::kDropView:
    case StatementKind::kDropSchema:
      return Drop(statement, run, answer);
    case StatementKind::kAlterTable:
    case StatementKind::kAlterView:
      return Alter(statement, run, answer);
    default:
      return absl::InvalidArgumentError("This statement is not supported");
  }
}

}  // namespace hakobu::localbq::sql
