// DDL statements carried out on the catalog.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "absl/time/time.h"
#include "base/status.h"
#include "localbq/catalog/publish.h"
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
    if (definition.copy_data && run.hooks.rows_to_copy) {
      HAKOBU_ASSIGN_OR_RETURN(copy_from, run.hooks.rows_to_copy(*source));
    }
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
  HAKOBU_RETURN_IF_ERROR(CheckPrimaryKey(table.schema, table.primary_key));
  if (query.empty() && !existing.ok()) return run.catalog.CreateTable(std::move(table)).status();
  if (existing.ok()) {
    if (run.hooks.layouts) HAKOBU_RETURN_IF_ERROR(CheckRecreatedLayout(**existing, table));
    KeepOverRecreate(**existing, &table);
  }
  Schema schema = table.schema;
  const auto fill = [&](Connection& connection, const Catalog::NewRows& rows) -> absl::Status {
    if (!query.empty()) {
      HAKOBU_ASSIGN_OR_RETURN(const std::shared_ptr<void> guard, Guard(run, connection));
      HAKOBU_RETURN_IF_ERROR(connection.Run(InsertQuery(rows.quoted, schema, query)));
    }
    return BeforeCommit(run, connection, answer);
  };
  return QueryFailure(run.catalog.ReplaceTable(std::move(table), Catalog::Replacement::kMade, fill).status());
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

}  // namespace

absl::Status BadOption(const Option& option) {
  return absl::InvalidArgumentError(fmt::format("Unknown option: {}", option.name));
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
      // Set to NULL is not the same as never set: TABLE_OPTIONS goes on showing it.
      table.max_staleness = option.is_null ? "0-0 0 0:0:0" : option.text;
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

absl::Status RunDdl(const Statement& statement, Run& run, Answer& answer) {
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
      return ExecuteAlter(statement, run, answer);
    default:
      return absl::InvalidArgumentError("This statement is not supported");
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
  HAKOBU_RETURN_IF_ERROR(RunDdl(statement, run, answer));
  if (run.hooks.after_ddl && AccessFor(statement.kind) != Access::kDrop)
    run.hooks.after_ddl(statement.target);
  return absl::OkStatus();
}

}  // namespace hakobu::localbq::sql
