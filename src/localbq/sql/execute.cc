#include "localbq/sql/execute.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"
#include "localbq/catalog/partitions.h"
#include "localbq/catalog/publish.h"
#include "localbq/sql/execute_internal.h"
#include "localbq/sql/lexer.h"
#include "localbq/sql/parser.h"
#include "localbq/sql/resolver.h"

namespace hakobu::localbq::sql {

TableId IdOf(const TableName& name) {
  return {name.project, name.dataset, name.table};
}

absl::Status QueryFailure(const absl::Status& status) {
  if (status.ok()) return status;
  // The catalog's own answers (not found, already exists, no permission) are Google's words already.
  std::string_view message = View(status.message());
  if (size_t at = message.find("NOT NULL constraint failed: "); at != message.npos) {
    std::string_view column = message.substr(message.rfind('.') + 1);
    return absl::InvalidArgumentError(fmt::format("Required field {} cannot be null", column));
  }
  if (status.code() == absl::StatusCode::kResourceExhausted &&
      message.find("Out of Memory Error") != message.npos) {
    return absl::InvalidArgumentError(
        "Resources exceeded during query execution: The query could not be executed in the allotted memory.");
  }
  if (message.find("More than one row returned by a subquery") != message.npos) {
    return absl::InvalidArgumentError("Scalar subquery produced more than one element");
  }
  if (size_t at = message.find("column \""); at != message.npos) {
    if (size_t end = message.find("\" must appear in the GROUP BY clause"); end != message.npos) {
      return absl::InvalidArgumentError(
          fmt::format("SELECT list expression references column {} which is neither grouped nor aggregated",
                      message.substr(at + 8, end - at - 8)));
    }
  }
  for (std::string_view kind :
       {"Invalid Input Error: ", "Conversion Error: ", "Out of Range Error: ", "Binder Error: ",
        "Parser Error: ", "Catalog Error: ", "Constraint Error: ", "Invalid Error: "}) {
    size_t at = message.find(kind);
    if (at != message.npos) return absl::InvalidArgumentError(View(message.substr(at + kind.size())));
  }
  if (status.code() == absl::StatusCode::kOutOfRange ||
      status.code() == absl::StatusCode::kFailedPrecondition) {
    return absl::InvalidArgumentError(View(message));
  }
  return status;
}

absl::StatusOr<std::shared_ptr<void>> Guard(const Run& run, Connection& connection) {
  if (!run.hooks.on_connection) return std::shared_ptr<void>();
  return run.hooks.on_connection(connection);
}

absl::Status BeforeCommit(const Run& run, Connection& connection, const Answer& answer) {
  if (!run.is_last || !run.hooks.before_commit) return absl::OkStatus();
  return run.hooks.before_commit(connection, answer);
}

std::string InsertQuery(const std::string& target, const Schema& columns, const std::string& query) {
  std::string names;
  for (const Column& column : columns) names += (names.empty() ? "" : ", ") + QuoteName(column.name);
  return fmt::format("INSERT INTO {} ({}) {}", target, names, query);
}

int64_t EstimateRowBytes(const Schema& schema) {
  int64_t bytes = 0;
  for (const Column& column : schema) {
    int64_t width = 8;
    switch (column.type) {
      case Type::kBool:
        width = 1;
        break;
      case Type::kNumeric:
      case Type::kString:
      case Type::kBytes:
      case Type::kInterval:
      case Type::kRange:
        width = 16;
        break;
      case Type::kBigNumeric:
      case Type::kJson:
      case Type::kGeography:
        width = 32;
        break;
      case Type::kRecord:
        width = EstimateRowBytes(column.fields);
        break;
      default:
        break;
    }
    bytes += width * (column.mode == Mode::kRepeated ? 4 : 1);
  }
  return bytes;
}

int64_t CountRows(Catalog& catalog, const TableId& id) {
  absl::StatusOr<Warehouse::Lease> lease = catalog.warehouse()->Connect();
  if (!lease.ok()) return 0;
  absl::StatusOr<Result> result = (*lease)->Query("SELECT count(*) FROM " + DuckDbName(id));
  if (!result.ok()) return 0;
  return result->FirstInt64().value_or(0);
}

absl::StatusOr<TableInfo> CatalogResolver::FindTable(const TableName& name) {
  if (name.table.starts_with("INFORMATION_SCHEMA.")) return InformationSchema(catalog_, hooks_, name);
  // Before looking: who may not read learns nothing of what there is.
  if (hooks_.check_read)
    HAKOBU_RETURN_IF_ERROR(hooks_.check_read(name, views_.empty() ? nullptr : &views_.back()));
  absl::StatusOr<TablePtr> found = catalog_.GetTable(IdOf(name));
  if (!found.ok()) {
    if (found.status().code() != absl::StatusCode::kNotFound) return found.status();
    return absl::NotFoundError(
        fmt::format("{} was not found in location US", View(found.status().message())));
  }
  const Table& table = **found;
  TableInfo info;
  info.schema = table.schema;
  info.primary_key = table.primary_key;
  if (table.type == TableType::kView) {
    info.kind = RelationKind::kView;
    info.view_query = table.view_query;
    return info;
  }
  if (table.type == TableType::kExternal || table.type == TableType::kMaterializedView) {
    return absl::InvalidArgumentError("Querying external tables and materialized views is not supported");
  }
  if (hooks_.read_source) {
    HAKOBU_ASSIGN_OR_RETURN(info.source, hooks_.read_source(table));
  }
  if (info.source.empty()) info.source = DuckDbName(table.id);
  if (hooks_.row_condition) {
    HAKOBU_ASSIGN_OR_RETURN(const std::string condition, hooks_.row_condition(table));
    if (!condition.empty()) info.source = fmt::format("(SELECT * FROM {} WHERE {})", info.source, condition);
  }
  info.target = DuckDbName(table.id);
  if (hooks_.partition_filters && table.require_partition_filter) {
    info.required_filter = PartitionColumn(table);
  }
  if (hooks_.cdc_active && hooks_.cdc_active(table)) {
    info.dml_refusal = fmt::format(
        "UPDATE, DELETE or MERGE statement over table {}.{} would affect rows in the streaming "
        "buffer, which is not supported",
        table.id.dataset, table.id.table);
  }
  int64_t rows = CountRows(catalog_, table.id);
  for (const Column& column : table.schema) info.column_bytes.push_back(rows * EstimateRowBytes({column}));
  info.bytes = rows * EstimateRowBytes(table.schema);
  return info;
}

namespace {

void AddReferenced(const Statement& statement, Answer& answer) {
  for (const ReferencedTable& table : statement.referenced) {
    answer.bytes_processed += table.bytes;
    auto same = std::find_if(answer.referenced.begin(), answer.referenced.end(),
                             [&](const ReferencedTable& other) { return other.name == table.name; });
    if (same == answer.referenced.end()) answer.referenced.push_back(table);
  }
}

// A statement's rows by what MERGE did with each.
absl::Status CountActions(Result* result, DmlStatistics* counted) {
  while (std::optional<Chunk> chunk = result->Next()) {
    auto* actions = static_cast<duckdb_string_t*>(duckdb_vector_get_data(chunk->column(0)));
    for (idx_t i = 0; i < chunk->rows(); ++i) {
      const char first = duckdb_string_t_data(actions + i)[0];
      ++(first == 'I' ? counted->inserted : first == 'U' ? counted->updated : counted->deleted);
    }
  }
  return result->Failure();
}

absl::StatusOr<DmlStatistics> WriteRows(const Statement& statement, Connection& connection) {
  DmlStatistics counted;
  for (const std::string& check : statement.checks) {
    HAKOBU_ASSIGN_OR_RETURN(Result found, connection.Query(check));
    if (std::optional<Chunk> chunk = found.Next(); chunk && chunk->rows() > 0) {
      return absl::InvalidArgumentError(statement.check_error);
    }
  }
  if (statement.kind == StatementKind::kMerge) {
    HAKOBU_ASSIGN_OR_RETURN(Result result, connection.Stream(statement.duckdb));
    HAKOBU_RETURN_IF_ERROR(CountActions(&result, &counted));
    return counted;
  }
  HAKOBU_ASSIGN_OR_RETURN(Result result, connection.Query(statement.duckdb));
  (statement.kind == StatementKind::kInsert   ? counted.inserted
   : statement.kind == StatementKind::kUpdate ? counted.updated
                                              : counted.deleted) = result.rows_changed();
  return counted;
}

// Rows written by a statement change the table's lastModifiedTime and etag, as a new version of it does.
absl::Status Touched(Run& run, const TableId& id, absl::Status written) {
  HAKOBU_RETURN_IF_ERROR(written);
  const absl::Status touched =
      run.catalog.UpdateTable(id, "", [](Table&) { return absl::OkStatus(); }).status();
  return absl::IsNotFound(touched) ? absl::OkStatus() : touched;  // dropped since: nothing to change
}

absl::Status RunDml(const Statement& statement, Run& run, Answer& answer) {
  if (run.hooks.check_access)
    HAKOBU_RETURN_IF_ERROR(run.hooks.check_access(statement.target, Access::kWrite));
  if (run.hooks.admit_write) HAKOBU_RETURN_IF_ERROR(run.hooks.admit_write(statement.kind, statement.target));
  const DmlStatistics before = answer.dml;
  answer.target = statement.target;
  return Touched(run, IdOf(statement.target),
                 QueryFailure(run.catalog.Write(
                     IdOf(statement.target), 0, [&](Connection& connection, const Table&) -> absl::Status {
                       {
                         HAKOBU_ASSIGN_OR_RETURN(const std::shared_ptr<void> guard, Guard(run, connection));
                         HAKOBU_ASSIGN_OR_RETURN(const DmlStatistics counted,
                                                 WriteRows(statement, connection));
                         answer.dml = {before.inserted + counted.inserted, before.updated + counted.updated,
                                       before.deleted + counted.deleted};
                       }
                       return BeforeCommit(run, connection, answer);
                     })));
}

// Rows of a query as a table's columns, in its order; what the query lacks is NULL.
// `target` is quoted.
absl::StatusOr<std::string> AppendQuery(const std::string& target, const Table& table,
                                        const Statement& statement) {
  std::string names, list;
  for (const Column& given : statement.schema) {
    const Column* column = FindColumn(table.schema, given.name);
    if (column == nullptr || column->type != given.type ||
        (column->mode == Mode::kRepeated) != (given.mode == Mode::kRepeated)) {
      return absl::InvalidArgumentError(fmt::format(
          "Invalid schema update. Cannot add fields (field: {}) or field has changed type", given.name));
    }
    names += (names.empty() ? "" : ", ") + QuoteName(column->name);
    list += (list.empty() ? "" : ", ") + QuoteName(given.name);
  }
  for (const Column& column : table.schema) {
    if (FindColumn(statement.schema, column.name) == nullptr && column.mode == Mode::kRequired) {
      return absl::InvalidArgumentError(
          fmt::format("Required field {} is missing from the query's result", column.name));
    }
  }
  return fmt::format("INSERT INTO {} ({}) SELECT {} FROM ({}) AS \"_r\"", target, names, list,
                     statement.duckdb);
}

// The columns that a job's schemaUpdateOptions let it add or relax.
absl::Status ExtendSchema(const Schema& schema, const Destination& destination, Run& run) {
  const auto extend = [&](Table& table) {
    for (const Column& column : schema) {
      const bool known = FindColumn(table.schema, column.name) != nullptr;
      if (!known && destination.allow_field_addition) table.schema.push_back(column);
    }
    for (Column& column : table.schema) {
      if (destination.allow_field_relaxation && column.mode == Mode::kRequired) column.mode = Mode::kNullable;
    }
    return absl::OkStatus();
  };
  return run.catalog.UpdateTable(destination.table, "", extend).status();
}

absl::Status WriteDestination(const Statement& statement, const Destination& destination, Run& run,
                              Answer& answer) {
  answer.target = {destination.table.project, destination.table.dataset, destination.table.table};
  if (run.hooks.check_access) HAKOBU_RETURN_IF_ERROR(run.hooks.check_access(answer.target, Access::kWrite));
  absl::StatusOr<TablePtr> existing = run.catalog.GetTable(destination.table);
  if (!existing.ok() && existing.status().code() != absl::StatusCode::kNotFound) return existing.status();
  auto fill_rows = [&](const Schema& schema) {
    return [&, schema](Connection& connection, const Catalog::NewRows& rows) -> absl::Status {
      {
        HAKOBU_ASSIGN_OR_RETURN(const std::shared_ptr<void> guard, Guard(run, connection));
        HAKOBU_RETURN_IF_ERROR(connection.Run(InsertQuery(rows.quoted, schema, statement.duckdb)));
      }
      return BeforeCommit(run, connection, answer);
    };
  };
  if (!existing.ok() || destination.write == "WRITE_TRUNCATE") {
    if (!existing.ok() && destination.create == "CREATE_NEVER") return existing.status();
    const bool has_options = destination.allow_field_addition || destination.allow_field_relaxation;
    if (existing.ok() && has_options) {
      return absl::InvalidArgumentError(
          "Schema update options should only be specified with WRITE_APPEND disposition, or with "
          "WRITE_TRUNCATE disposition on a table partition.");
    }
    Table table;
    table.id = destination.table;
    table.schema = statement.schema;
    table.time_partitioning = destination.time_partitioning;
    table.range_partitioning = destination.range_partitioning;
    table.clustering = destination.clustering;
    if (existing.ok()) {
      if (run.hooks.layouts) HAKOBU_RETURN_IF_ERROR(CheckLoadLayout(**existing, table));
      KeepOverTruncate(**existing, run.hooks.publish_losses, &table);
    }
    return QueryFailure(
        run.catalog.ReplaceTable(std::move(table), Catalog::Replacement::kTable, fill_rows(statement.schema))
            .status());
  }
  if (destination.write == "WRITE_EMPTY" && CountRows(run.catalog, destination.table) > 0) {
    return absl::AlreadyExistsError(fmt::format("Already Exists: Table {}", DisplayName(destination.table)));
  }
  if (destination.allow_field_addition || destination.allow_field_relaxation) {
    HAKOBU_RETURN_IF_ERROR(ExtendSchema(statement.schema, destination, run));
  }
  const auto insert_into = [&](Connection& connection, const std::string& target,
                               const Table& table) -> absl::Status {
    {
      HAKOBU_ASSIGN_OR_RETURN(const std::shared_ptr<void> guard, Guard(run, connection));
      HAKOBU_ASSIGN_OR_RETURN(const std::string insert, AppendQuery(target, table, statement));
      HAKOBU_RETURN_IF_ERROR(connection.Run(insert));
    }
    return BeforeCommit(run, connection, answer);
  };
  if (destination.write == "WRITE_TRUNCATE_DATA") {
    HAKOBU_ASSIGN_OR_RETURN(existing, run.catalog.GetTable(destination.table));
    Table table = **existing;
    if (run.hooks.truncate_data_policies) DropRowPolicies(&table);
    return QueryFailure(run.catalog
                            .ReplaceTable(table, Catalog::Replacement::kRows,
                                          [&](Connection& connection, const Catalog::NewRows& rows) {
                                            return insert_into(connection, rows.quoted, table);
                                          })
                            .status());
  }
  return Touched(
      run, destination.table,
      QueryFailure(run.catalog.Write(destination.table, 0, [&](Connection& connection, const Table& table) {
        return insert_into(connection, DuckDbName(table.id), table);
      })));
}

absl::Status RunSelect(const Statement& statement, const Destination* destination, Run& run, Answer& answer) {
  answer.schema = statement.schema;
  if (destination != nullptr) return WriteDestination(statement, *destination, run, answer);
  HAKOBU_ASSIGN_OR_RETURN(Warehouse::Lease lease, run.catalog.warehouse()->Connect());
  HAKOBU_ASSIGN_OR_RETURN(const std::shared_ptr<void> guard, Guard(run, *lease));
  absl::StatusOr<Result> result = lease->Query(statement.duckdb);
  if (!result.ok()) return QueryFailure(result.status());
  answer.lease = std::make_unique<Warehouse::Lease>(std::move(lease));
  answer.rows.emplace(*std::move(result));
  return absl::OkStatus();
}

absl::Status RunStatement(const Statement& statement, const Destination* destination, Run& run,
                          Answer& answer) {
  answer.kind = statement.kind;
  AddReferenced(statement, answer);
  answer.schema.clear();
  answer.rows.reset();
  answer.lease.reset();
  switch (statement.kind) {
    case StatementKind::kSelect:
      return RunSelect(statement, destination, run, answer);
    case StatementKind::kInsert:
    case StatementKind::kUpdate:
    case StatementKind::kDelete:
    case StatementKind::kMerge:
    case StatementKind::kTruncate:
      return RunDml(statement, run, answer);
    case StatementKind::kBegin:
    case StatementKind::kCommit:
    case StatementKind::kRollback:
      return absl::InvalidArgumentError("Transaction control statements are not supported");
    default:
      return ExecuteDdl(statement, run, answer);
  }
}

// A script is refused before its first statement has run.
absl::Status CheckScript(std::string_view sql) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<ParsedStatement> statements, ParseScript(sql));
  for (const ParsedStatement& statement : statements) {
    if (statement.kind == StatementKind::kBegin || statement.kind == StatementKind::kCommit ||
        statement.kind == StatementKind::kRollback) {
      return absl::InvalidArgumentError("Transaction control statements are not supported");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Answer> Execute(std::string_view sql, const Context& given, Catalog& catalog,
                               const ExecuteHooks& hooks, const Destination* destination) {
  HAKOBU_RETURN_IF_ERROR(CheckScript(sql));
  HAKOBU_ASSIGN_OR_RETURN(std::vector<std::string> texts, SplitScript(sql));
  if (texts.empty()) return absl::InvalidArgumentError("Syntax error: Unexpected end of statement at [1:1]");
  CatalogResolver resolver(catalog, hooks, given.project);
  Context context = given;
  context.resolver = &resolver;
  Run run{catalog, context, hooks};
  Answer answer;
  // A single statement is translated from the whole text, so that positions in errors are those of the user.
  bool single = texts.size() == 1;
  if (single) texts[0] = std::string(sql);
  for (const std::string& text : texts) {
    HAKOBU_ASSIGN_OR_RETURN(std::vector<Statement> statements, Translate(text, context));
    for (const Statement& statement : statements) {
      run.is_last = &text == &texts.back() && &statement == &statements.back();
      bool select = statement.kind == StatementKind::kSelect;
      if (destination != nullptr && (!select || !single)) {
        return absl::InvalidArgumentError("configuration.query.destinationTable cannot be set for scripts");
      }
      HAKOBU_RETURN_IF_ERROR(RunStatement(statement, destination, run, answer));
      ++answer.statement_count;
    }
  }
  return answer;
}

absl::StatusOr<Answer> DryRun(std::string_view sql, const Context& given, Catalog& catalog,
                              const ExecuteHooks& hooks) {
  HAKOBU_RETURN_IF_ERROR(CheckScript(sql));
  CatalogResolver resolver(catalog, hooks, given.project);
  Context context = given;
  context.resolver = &resolver;
  HAKOBU_ASSIGN_OR_RETURN(std::vector<Statement> statements, Translate(sql, context));
  if (statements.empty())
    return absl::InvalidArgumentError("Syntax error: Unexpected end of statement at [1:1]");
  Answer answer;
  for (const Statement& statement : statements) {
    answer.kind = statement.kind;
    answer.schema = statement.schema;
    answer.target = statement.target;
    AddReferenced(statement, answer);
    ++answer.statement_count;
  }
  return answer;
}

}  // namespace hakobu::localbq::sql
