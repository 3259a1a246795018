// INFORMATION_SCHEMA: https://docs.cloud.google.com/bigquery/docs/information-schema-intro
#include <fmt/format.h>

#include <algorithm>

#include "base/status.h"
#include "localbq/sql/civil.h"
#include "localbq/sql/lexer.h"
#include "localbq/sql/resolver.h"

namespace hakobu::localbq::sql {
namespace {

Column Col(std::string name, Type type) {
  Column column;
  column.name = std::move(name);
  column.type = type;
  return column;
}

// Collects rows as DuckDB VALUES.
class Rows {
 public:
  explicit Rows(Schema schema) : schema_(std::move(schema)) {}
  void Add(const std::vector<std::string>& values) {
    std::string row;
    for (const std::string& value : values) row += (row.empty() ? "" : ", ") + value;
    rows_ += (rows_.empty() ? "(" : ", (") + row + ")";
  }
  TableInfo Finish() && {
    TableInfo info;
    std::string names, casts;
    for (size_t i = 0; i < schema_.size(); ++i) {
      names += (i > 0 ? ", " : "") + fmt::format("\"c{}\"", i);
      casts += fmt::format("{}CAST(\"c{}\" AS {}) AS {}", i > 0 ? ", " : "", i, DuckDbType(schema_[i]),
                           QuoteName(schema_[i].name));
    }
    if (rows_.empty()) {
      std::string nulls;
      for (size_t i = 0; i < schema_.size(); ++i) nulls += i > 0 ? ", NULL" : "NULL";
      info.source = fmt::format("(SELECT {} FROM (VALUES ({})) AS v({}) WHERE FALSE)", casts, nulls, names);
    } else {
      info.source = fmt::format("(SELECT {} FROM (VALUES {}) AS v({}))", casts, rows_, names);
    }
    info.schema = std::move(schema_);
    return info;
  }

 private:
  Schema schema_;
  std::string rows_;
};

std::string Text(std::string_view text) {
  return QuoteText(text);
}
std::string TextOrNull(std::string_view text) {
  return text.empty() ? "NULL" : QuoteText(text);
}
std::string Millis(int64_t ms) {
  return fmt::format("make_timestamptz({}::BIGINT)", ms * 1000);
}
std::string YesNo(bool yes) {
  return yes ? "'YES'" : "'NO'";
}

std::string_view TableTypeText(TableType type) {
  switch (type) {
    case TableType::kView:
      return "VIEW";
    case TableType::kMaterializedView:
      return "MATERIALIZED VIEW";
    case TableType::kExternal:
      return "EXTERNAL";
    case TableType::kSnapshot:
      return "SNAPSHOT";
    case TableType::kTable:
      break;
  }
  return "BASE TABLE";
}

TableInfo Schemata(Catalog& catalog, const ExecuteHooks& hooks, const TableName& name) {
  Rows rows({Col("catalog_name", Type::kString), Col("schema_name", Type::kString),
             Col("schema_owner", Type::kString), Col("creation_time", Type::kTimestamp),
             Col("last_modified_time", Type::kTimestamp), Col("location", Type::kString),
             Col("ddl", Type::kString), Col("default_collation_name", Type::kString)});
  for (const DatasetPtr& dataset : catalog.ListDatasets(name.project)) {
    if (hooks.may_see && !hooks.may_see({name.project, dataset->id.dataset, ""})) continue;
    std::string ddl = fmt::format("CREATE SCHEMA `{}.{}`\nOPTIONS(\n  location=\"{}\"\n);",
                                  dataset->id.project, dataset->id.dataset, dataset->location);
    rows.Add({Text(dataset->id.project), Text(dataset->id.dataset), "NULL", Millis(dataset->created_ms),
              Millis(dataset->modified_ms), Text(dataset->location), Text(ddl), "NULL"});
  }
  return std::move(rows).Finish();
}

void AddTable(const Table& table, const ExecuteHooks& hooks, Rows& rows) {
  std::optional<int64_t> watermark = hooks.apply_watermark ? hooks.apply_watermark(table) : std::nullopt;
  rows.Add({Text(table.id.project), Text(table.id.dataset), Text(table.id.table),
            Text(TableTypeText(table.type)), YesNo(table.type == TableType::kTable), "'NO'",
            Millis(table.created_ms), Text(TableDdl(table)), "NULL",
            watermark ? fmt::format("make_timestamptz({}::BIGINT)", *watermark) : "NULL"});
}

Schema TablesSchema() {
  return {Col("table_catalog", Type::kString),
          Col("table_schema", Type::kString),
          Col("table_name", Type::kString),
          Col("table_type", Type::kString),
          Col("is_insertable_into", Type::kString),
          Col("is_typed", Type::kString),
          Col("creation_time", Type::kTimestamp),
          Col("ddl", Type::kString),
          Col("default_collation_name", Type::kString),
          Col("upsert_stream_apply_watermark", Type::kTimestamp)};
}

Schema ColumnsSchema() {
  return {Col("table_catalog", Type::kString),
          Col("table_schema", Type::kString),
          Col("table_name", Type::kString),
          Col("column_name", Type::kString),
          Col("ordinal_position", Type::kInt64),
          Col("is_nullable", Type::kString),
          Col("data_type", Type::kString),
          Col("is_generated", Type::kString),
          Col("generation_expression", Type::kString),
          Col("is_stored", Type::kString),
          Col("is_hidden", Type::kString),
          Col("is_updatable", Type::kString),
          Col("is_system_defined", Type::kString),
          Col("is_partitioning_column", Type::kString),
          Col("clustering_ordinal_position", Type::kInt64),
          Col("collation_name", Type::kString),
          Col("column_default", Type::kString),
          Col("rounding_mode", Type::kString)};
}

void AddColumns(const Table& table, Rows& rows) {
  int64_t ordinal = 0;
  for (const Column& column : table.schema) {
    bool partitioning = (table.time_partitioning && SameName(table.time_partitioning->column, column.name)) ||
                        (table.range_partitioning && SameName(table.range_partitioning->column, column.name));
    auto clustered = std::find_if(table.clustering.begin(), table.clustering.end(),
                                  [&](const std::string& name) { return SameName(name, column.name); });
    std::string position = clustered == table.clustering.end()
                               ? "NULL"
                               : fmt::format("{}", clustered - table.clustering.begin() + 1);
    rows.Add({Text(table.id.project), Text(table.id.dataset), Text(table.id.table), Text(column.name),
              fmt::format("{}", ++ordinal), YesNo(column.mode != Mode::kRequired), Text(SqlTypeText(column)),
              "'NEVER'", "NULL", "NULL", "'NO'", "NULL", "'NO'", YesNo(partitioning), position, "'NULL'",
              column.default_expression.empty() ? "'NULL'" : Text(column.default_expression),
              TextOrNull(column.rounding_mode)});
  }
}

Schema ConstraintsSchema() {
  return {Col("constraint_catalog", Type::kString), Col("constraint_schema", Type::kString),
          Col("constraint_name", Type::kString),    Col("table_catalog", Type::kString),
          Col("table_schema", Type::kString),       Col("table_name", Type::kString),
          Col("constraint_type", Type::kString),    Col("is_deferrable", Type::kString),
          Col("initially_deferred", Type::kString), Col("enforced", Type::kString)};
}

std::string PrimaryKeyName(const Table& table) {
  return table.id.table + ".pk$";
}
std::string ForeignKeyName(const Table& table, size_t index) {
  const std::string& name = table.foreign_keys[index].name;
  return table.id.table + "." + (name.empty() ? fmt::format("fk${}", index + 1) : name);
}

void AddConstraints(const Table& table, Rows& rows) {
  auto add = [&](const std::string& name, std::string_view type) {
    rows.Add({Text(table.id.project), Text(table.id.dataset), Text(name), Text(table.id.project),
              Text(table.id.dataset), Text(table.id.table), Text(type), "'NO'", "'NO'", "'NO'"});
  };
  if (!table.primary_key.empty()) add(PrimaryKeyName(table), "PRIMARY KEY");
  for (size_t i = 0; i < table.foreign_keys.size(); ++i) add(ForeignKeyName(table, i), "FOREIGN KEY");
}

Schema KeyColumnsSchema() {
  return {Col("constraint_catalog", Type::kString),
          Col("constraint_schema", Type::kString),
          Col("constraint_name", Type::kString),
          Col("table_catalog", Type::kString),
          Col("table_schema", Type::kString),
          Col("table_name", Type::kString),
          Col("column_name", Type::kString),
          Col("ordinal_position", Type::kInt64),
          Col("position_in_unique_constraint", Type::kInt64)};
}

void AddKeyColumns(const Table& table, Rows& rows) {
  auto add = [&](const std::string& constraint, std::string_view column, size_t position,
                 const std::string& unique) {
    rows.Add({Text(table.id.project), Text(table.id.dataset), Text(constraint), Text(table.id.project),
              Text(table.id.dataset), Text(table.id.table), Text(column), fmt::format("{}", position),
              unique});
  };
  for (size_t i = 0; i < table.primary_key.size(); ++i)
    add(PrimaryKeyName(table), table.primary_key[i], i + 1, "NULL");
  for (size_t k = 0; k < table.foreign_keys.size(); ++k) {
    for (size_t i = 0; i < table.foreign_keys[k].columns.size(); ++i) {
      add(ForeignKeyName(table, k), table.foreign_keys[k].columns[i].first, i + 1, fmt::format("{}", i + 1));
    }
  }
}

Schema OptionsSchema() {
  return {Col("table_catalog", Type::kString), Col("table_schema", Type::kString),
          Col("table_name", Type::kString),    Col("option_name", Type::kString),
          Col("option_type", Type::kString),   Col("option_value", Type::kString)};
}

void AddOptions(const Table& table, Rows& rows) {
  for (const ShownOption& option : ShownOptions(table)) {
    rows.Add({Text(table.id.project), Text(table.id.dataset), Text(table.id.table), Text(option.name),
              Text(option.type), Text(option.value)});
  }
}

Schema PartitionsSchema() {
  return {Col("table_catalog", Type::kString),
          Col("table_schema", Type::kString),
          Col("table_name", Type::kString),
          Col("partition_id", Type::kString),
          Col("total_rows", Type::kInt64),
          Col("total_logical_bytes", Type::kInt64),
          Col("last_modified_time", Type::kTimestamp),
          Col("storage_tier", Type::kString)};
}

// Partition ids are computed from the rows, so this one is a query over the table.
std::string PartitionQuery(const Table& table) {
  std::string id = "CAST(NULL AS VARCHAR)";
  if (table.time_partitioning && !table.time_partitioning->column.empty()) {
    const std::string& type = table.time_partitioning->type;
    std::string_view format = type == "HOUR"    ? "%Y%m%d%H"
                              : type == "MONTH" ? "%Y%m"
                              : type == "YEAR"  ? "%Y"
                                                : "%Y%m%d";
    std::string column = QuoteName(table.time_partitioning->column);
    const Column* definition = FindColumn(table.schema, table.time_partitioning->column);
    if (definition != nullptr && definition->type == Type::kTimestamp) column += " AT TIME ZONE 'UTC'";
    id = fmt::format("COALESCE(strftime({}, '{}'), '__NULL__')", column, format);
  } else if (table.range_partitioning) {
    const RangePartitioning& range = *table.range_partitioning;
    std::string column = QuoteName(range.column);
    id = fmt::format(
        "CASE WHEN {0} IS NULL THEN '__NULL__' WHEN {0} < {1} OR {0} >= {2} THEN '__UNPARTITIONED__' ELSE "
        "CAST({1} + ({0} - {1}) // {3} * {3} AS VARCHAR) END",
        column, range.start, range.end, range.interval);
  }
  return fmt::format(
      "SELECT {} AS \"table_catalog\", {} AS \"table_schema\", {} AS \"table_name\", {} AS "
      "\"partition_id\", count(*) AS \"total_rows\", CAST(count(*) * {} AS BIGINT) AS "
      "\"total_logical_bytes\", {} AS \"last_modified_time\", 'ACTIVE' AS \"storage_tier\" FROM {} GROUP BY "
      "ALL",
      Text(table.id.project), Text(table.id.dataset), Text(table.id.table), id,
      EstimateRowBytes(table.schema), Millis(table.modified_ms), DuckDbName(table.id));
}

}  // namespace

absl::StatusOr<TableInfo> InformationSchema(Catalog& catalog, const ExecuteHooks& hooks,
                                            const TableName& name) {
  std::string view = name.table.substr(name.table.find('.') + 1);
  if (view == "SCHEMATA") return Schemata(catalog, hooks, name);
  std::vector<TablePtr> tables;
  bool region = name.dataset.empty() || Lower(name.dataset).starts_with("region-");
  if (region) {
    if (name.dataset.empty()) {
      return absl::InvalidArgumentError(
          fmt::format("INFORMATION_SCHEMA.{} must be qualified with a dataset or region", view));
    }
    for (const DatasetPtr& dataset : catalog.ListDatasets(name.project)) {
      if (Lower("region-" + dataset->location) != Lower(name.dataset)) continue;
      HAKOBU_ASSIGN_OR_RETURN(std::vector<TablePtr> more, catalog.ListTables(dataset->id));
      tables.insert(tables.end(), more.begin(), more.end());
    }
  } else {
    if (hooks.check_read) HAKOBU_RETURN_IF_ERROR(hooks.check_read(name, nullptr));
    HAKOBU_ASSIGN_OR_RETURN(tables, catalog.ListTables({name.project, name.dataset}));
  }
  if (hooks.may_see) {
    std::erase_if(tables, [&](const TablePtr& table) {
      return !hooks.may_see({table->id.project, table->id.dataset, table->id.table});
    });
  }
  auto collect = [&](Schema schema, auto add) {
    Rows rows(std::move(schema));
    for (const TablePtr& table : tables) add(*table, rows);
    return std::move(rows).Finish();
  };
  if (view == "TABLES") {
    return collect(TablesSchema(), [&](const Table& table, Rows& rows) { AddTable(table, hooks, rows); });
  }
  if (view == "COLUMNS") return collect(ColumnsSchema(), AddColumns);
  if (view == "TABLE_CONSTRAINTS") return collect(ConstraintsSchema(), AddConstraints);
  if (view == "KEY_COLUMN_USAGE") return collect(KeyColumnsSchema(), AddKeyColumns);
  if (view == "TABLE_OPTIONS") return collect(OptionsSchema(), AddOptions);
  if (view == "PARTITIONS") {
    TableInfo info = Rows(PartitionsSchema()).Finish();
    std::string queries;
    for (const TablePtr& table : tables) {
      if (table->type != TableType::kTable) continue;
      queries += (queries.empty() ? "(" : " UNION ALL ") + PartitionQuery(*table);
    }
    if (!queries.empty()) info.source = queries + ")";
    return info;
  }
  return absl::InvalidArgumentError(fmt::format("INFORMATION_SCHEMA.{} is not supported", view));
}

std::vector<ShownOption> ShownOptions(const Table& table) {
  std::vector<ShownOption> options;
  auto quoted = [](std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      if (c == '\n') {
        out += "\\n";
      } else {
        out += c;
      }
    }
    return out + "\"";
  };
  if (table.expiration_ms > 0) {
    options.push_back(
        {"expiration_timestamp", "TIMESTAMP",
         fmt::format("TIMESTAMP \"{}Z\"", DateTimeText(CivilFromMicros(table.expiration_ms * 1000)))});
  }
  if (!table.friendly_name.empty())
    options.push_back({"friendly_name", "STRING", quoted(table.friendly_name)});
  if (!table.description.empty()) options.push_back({"description", "STRING", quoted(table.description)});
  if (!table.labels.empty()) {
    std::string list;
    for (const auto& [key, value] : table.labels) {
      list += fmt::format("{}STRUCT({}, {})", list.empty() ? "" : ", ", quoted(key), quoted(value));
    }
    options.push_back({"labels", "ARRAY<STRUCT<STRING, STRING>>", "[" + list + "]"});
  }
  if (table.time_partitioning && table.time_partitioning->expiration_ms > 0) {
    options.push_back(
        {"partition_expiration_days", "FLOAT64",
         fmt::format("{}", static_cast<double>(table.time_partitioning->expiration_ms) / 86'400'000)});
  }
  if (table.require_partition_filter) options.push_back({"require_partition_filter", "BOOL", "true"});
  if (!table.max_staleness.empty()) {
    options.push_back(
        {"max_staleness", "INTERVAL", fmt::format("INTERVAL \"{}\" YEAR TO SECOND", table.max_staleness)});
  }
  return options;
}

std::string TableDdl(const Table& table) {
  std::string name = fmt::format("`{}.{}.{}`", table.id.project, table.id.dataset, table.id.table);
  std::string options;
  for (const ShownOption& option : ShownOptions(table)) {
    options += fmt::format("{}\n  {}={}", options.empty() ? "" : ",", option.name, option.value);
  }
  if (!options.empty()) options = "\nOPTIONS(" + options + "\n)";
  if (table.type == TableType::kView) {
    return fmt::format("CREATE VIEW {}{}\nAS {};", name, options, table.view_query);
  }
  std::string columns;
  for (const Column& column : table.schema) {
    columns += fmt::format("{}\n  {} {}{}{}", columns.empty() ? "" : ",", column.name, SqlTypeText(column),
                           column.default_expression.empty() ? "" : " DEFAULT " + column.default_expression,
                           column.mode == Mode::kRequired ? " NOT NULL" : "");
  }
  auto join = [](const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& each : names) list += (list.empty() ? "" : ", ") + each;
    return list;
  };
  if (!table.primary_key.empty())
    columns += fmt::format(",\n  PRIMARY KEY ({}) NOT ENFORCED", join(table.primary_key));
  std::string tail;
  if (table.time_partitioning && !table.time_partitioning->column.empty()) {
    const Column* column = FindColumn(table.schema, table.time_partitioning->column);
    const TimePartitioning& partitioning = *table.time_partitioning;
    bool date = column != nullptr && column->type == Type::kDate;
    std::string function = column == nullptr || date          ? "DATE_TRUNC"
                           : column->type == Type::kTimestamp ? "TIMESTAMP_TRUNC"
                                                              : "DATETIME_TRUNC";
    tail += partitioning.type != "DAY"
                ? fmt::format("\nPARTITION BY {}({}, {})", function, partitioning.column, partitioning.type)
            : date ? "\nPARTITION BY " + partitioning.column
                   : fmt::format("\nPARTITION BY DATE({})", partitioning.column);
  } else if (table.time_partitioning) {
    tail += "\nPARTITION BY DATE(_PARTITIONTIME)";
  } else if (table.range_partitioning) {
    tail += fmt::format("\nPARTITION BY RANGE_BUCKET({}, GENERATE_ARRAY({}, {}, {}))",
                        table.range_partitioning->column, table.range_partitioning->start,
                        table.range_partitioning->end, table.range_partitioning->interval);
  }
  if (!table.clustering.empty()) tail += "\nCLUSTER BY " + join(table.clustering);
  return fmt::format("CREATE TABLE {}\n({}\n){}{};", name, columns, tail, options);
}

}  // namespace hakobu::localbq::sql
