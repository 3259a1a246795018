// DDL as structured actions:
// https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language
#include <fmt/format.h>

#include <charconv>

#include "localbq/sql/civil.h"
#include "localbq/sql/interval.h"
#include "localbq/sql/parser.h"
#include "localbq/sql/translator.h"

namespace hakobu::localbq::sql {
namespace {

std::optional<int64_t> IntegerOf(const Expression& expression) {
  if (expression.kind != ExpressionKind::kInteger) return std::nullopt;
  int64_t value = 0;
  std::from_chars(expression.text.data(), expression.text.data() + expression.text.size(), value);
  return value;
}

}  // namespace

absl::StatusOr<Option> Translator::OptionValue(const ParsedOption& parsed) {
  Option option;
  option.name = parsed.name;
  const Expression& value = *parsed.value;
  if (value.kind == ExpressionKind::kNull) {
    option.is_null = true;
    return option;
  }
  if (value.kind == ExpressionKind::kArray) {
    for (const ExpressionPtr& element : value.arguments) {
      if (element->kind == ExpressionKind::kStruct && element->arguments.size() == 2 &&
          element->arguments[0]->kind == ExpressionKind::kString &&
          element->arguments[1]->kind == ExpressionKind::kString) {
        option.pairs.emplace_back(element->arguments[0]->text, element->arguments[1]->text);
      } else if (element->kind == ExpressionKind::kString) {
        option.list.push_back(element->text);
      } else {
        return Error(element->at, fmt::format("Invalid value of option {}", parsed.name));
      }
    }
    return option;
  }
  HAKOBU_ASSIGN_OR_RETURN(Value evaluated, Expr(value, Scope()));
  if (evaluated.literal || IsScalar(evaluated.type, Type::kInterval)) {
    option.text = evaluated.text;
    if (!option.text.empty() || IsScalar(evaluated.type, Type::kString)) return option;
  }
  if (value.kind == ExpressionKind::kTyped && value.type.type == Type::kTimestamp) {
    std::optional<ParsedTimestamp> parsed_time = ParseTimestamp(value.text);
    if (parsed_time && parsed_time->zone.empty()) {
      CivilTime utc =
          CivilFromMicros(MicrosFromCivil(parsed_time->civil) - parsed_time->offset_seconds * 1'000'000);
      option.text = DateText(utc) + "T" + TimeText(utc) + "Z";
      return option;
    }
  }
  if (value.kind == ExpressionKind::kTyped) {
    option.text = value.text;
    return option;
  }
  return Error(value.at, fmt::format("Option {} needs a literal value", parsed.name));
}

absl::StatusOr<std::vector<Option>> Translator::OptionValues(const std::vector<ParsedOption>& options) {
  std::vector<Option> values;
  for (const ParsedOption& option : options) {
    HAKOBU_ASSIGN_OR_RETURN(Option value, OptionValue(option));
    values.push_back(std::move(value));
  }
  return values;
}

absl::StatusOr<ForeignKey> Translator::Foreign(ForeignKey key, const std::vector<std::string>& path,
                                               size_t at) {
  HAKOBU_ASSIGN_OR_RETURN(key.referenced_table, FullName(path, at));
  return key;
}

absl::StatusOr<Partitioning> Translator::PartitionOf(const Expression& expression, const Schema& schema) {
  Partitioning out;
  auto refuse = [&]() -> absl::Status {
    return Error(expression.at,
                 "PARTITION BY expression must be DATE(<timestamp_column>), DATE(<datetime_column>), "
                 "DATETIME_TRUNC(<datetime_column>, DAY/HOUR/MONTH/YEAR), a DATE column, "
                 "TIMESTAMP_TRUNC(<timestamp_column>, DAY/HOUR/MONTH/YEAR), DATE_TRUNC(<date_column>, "
                 "MONTH/YEAR), or RANGE_BUCKET(<int64_column>, GENERATE_ARRAY(<int64_value>, <int64_value>[, "
                 "<int64_value>]))");
  };
  auto column_of = [&](const Expression& path) -> std::string {
    return path.kind == ExpressionKind::kPath && path.names.size() == 1 ? path.names[0] : "";
  };
  std::vector<Type> allowed;
  if (expression.kind == ExpressionKind::kPath) {
    out.column = column_of(expression);
    out.type = "DAY";
    allowed = {Type::kDate, Type::kTimestamp, Type::kDateTime};
  } else if (expression.kind == ExpressionKind::kCall && expression.names.size() == 1 &&
             !expression.arguments.empty()) {
    std::string name = Upper(expression.names[0]);
    out.column = column_of(*expression.arguments[0]);
    if (name == "DATE" && expression.arguments.size() == 1) {
      out.type = "DAY";
      allowed = {Type::kTimestamp, Type::kDateTime};
    } else if ((name == "DATE_TRUNC" || name == "TIMESTAMP_TRUNC" || name == "DATETIME_TRUNC") &&
               expression.arguments.size() == 2) {
      out.type = Upper(column_of(*expression.arguments[1]));
      if (out.type != "DAY" && out.type != "HOUR" && out.type != "MONTH" && out.type != "YEAR")
        return refuse();
      allowed = {name == "DATE_TRUNC"        ? Type::kDate
                 : name == "TIMESTAMP_TRUNC" ? Type::kTimestamp
                                             : Type::kDateTime};
    } else if (name == "RANGE_BUCKET" && expression.arguments.size() == 2) {
      const Expression& array = *expression.arguments[1];
      if (array.kind != ExpressionKind::kCall || Upper(array.names[0]) != "GENERATE_ARRAY" ||
          array.arguments.size() < 2) {
        return refuse();
      }
      std::optional<int64_t> start = IntegerOf(*array.arguments[0]), end = IntegerOf(*array.arguments[1]);
      std::optional<int64_t> step = array.arguments.size() > 2 ? IntegerOf(*array.arguments[2]) : 1;
      if (!start || !end || !step || *step <= 0) return refuse();
      out = {"RANGE", out.column, *start, *end, *step};
      allowed = {Type::kInt64};
    } else {
      return refuse();
    }
  } else {
    return refuse();
  }
  std::string lower = Lower(out.column);
  if (lower == "_partitiondate" || lower == "_partitiontime") {
    out.column.clear();
    return out;
  }
  const Column* column = FindColumn(schema, out.column);
  if (out.column.empty()) return refuse();
  if (column == nullptr) return Error(expression.at, "Unrecognized name: " + out.column);
  bool fits = false;
  for (Type type : allowed) fits = fits || IsScalar(*column, type);
  if (!fits) return refuse();
  if (expression.kind == ExpressionKind::kPath && column->type != Type::kDate) return refuse();
  return out;
}

absl::Status Translator::ClusterBy(const ParsedStatement& parsed, TableDefinition& table) {
  if (parsed.clustering.size() > 4) return Error(parsed.target_at, "CLUSTER BY supports at most 4 columns");
  for (const std::string& name : parsed.clustering) {
    const Column* column = FindColumn(table.schema, name);
    if (column == nullptr && table.like) {
      table.clustering.push_back(name);
      continue;
    }
    if (column == nullptr) return Error(parsed.target_at, "Unrecognized name: " + name);
    if (IsArray(*column) || column->type == Type::kRecord || column->type == Type::kFloat64 ||
        column->type == Type::kJson || column->type == Type::kBytes) {
      return Error(parsed.target_at,
                   fmt::format("CLUSTER BY expression {} has type {}, which is not clusterable", name,
                               TypeText(*column)));
    }
    table.clustering.push_back(column->name);
  }
  return absl::OkStatus();
}

absl::Status Translator::CreateTableDdl(const ParsedStatement& parsed, Statement& out) {
  TableDefinition& table = out.definition;
  table.name = out.target;
  table.or_replace = parsed.or_replace;
  table.if_not_exists = parsed.if_not_exists;
  std::set<std::string> names;
  for (const ParsedColumn& column : parsed.definitions) {
    if (!names.insert(Lower(column.column.name)).second) {
      return Error(column.at, "Duplicate column name " + column.column.name);
    }
    if (column.default_value) {
      Column type = column.column;
      type.name.clear();
      HAKOBU_RETURN_IF_ERROR(ExprAs(*column.default_value, Scope(), type, "Default value").status());
    }
    table.schema.push_back(column.column);
  }
  if (parsed.query) {
    if (table.schema.empty()) {
      table.schema = out.schema;
    } else if (table.schema.size() != out.schema.size()) {
      return Error(parsed.query_begin,
                   "The number of columns in the column definition list does not match the number of "
                   "columns produced by the query");
    } else {
      std::string list;
      for (size_t i = 0; i < table.schema.size(); ++i) {
        Value value;
        value.sql = fmt::format("\"_s\".\"_{}\"", i);
        value.type = out.schema[i];
        HAKOBU_ASSIGN_OR_RETURN(std::string sql, Assigned(value, table.schema[i], parsed.query_begin));
        list += fmt::format("{}{} AS {}", list.empty() ? "" : ", ", sql, QuoteName(table.schema[i].name));
      }
      std::string aliases;
      for (size_t i = 0; i < out.schema.size(); ++i)
        aliases += fmt::format("{}\"_{}\"", i > 0 ? ", " : "", i);
      out.duckdb = fmt::format("SELECT {} FROM ({}) AS \"_s\"({})", list, out.duckdb, aliases);
    }
  }
  if (!parsed.like.empty()) {
    HAKOBU_ASSIGN_OR_RETURN(table.like, FullName(parsed.like, parsed.target_at));
    table.copy_data = parsed.copy;
  }
  for (const std::string& name : parsed.primary_key) {
    const Column* column = FindColumn(table.schema, name);
    if (column == nullptr)
      return Error(parsed.target_at, fmt::format("Unsupported primary key: column {} not found", name));
    table.primary_key.push_back(column->name);
  }
  for (size_t i = 0; i < parsed.foreign_keys.size(); ++i) {
    HAKOBU_ASSIGN_OR_RETURN(ForeignKey key,
                            Foreign(parsed.foreign_keys[i], parsed.foreign_paths[i], parsed.target_at));
    table.foreign_keys.push_back(std::move(key));
  }
  if (parsed.partition) {
    HAKOBU_ASSIGN_OR_RETURN(table.partitioning, PartitionOf(*parsed.partition, table.schema));
  }
  HAKOBU_RETURN_IF_ERROR(ClusterBy(parsed, table));
  HAKOBU_ASSIGN_OR_RETURN(table.options, OptionValues(parsed.options));
  return absl::OkStatus();
}

absl::Status Translator::AlterDdl(const ParsedStatement& parsed, Statement& out) {
  for (const ParsedAlter& alter : parsed.alters) {
    AlterAction action = alter.action;
    HAKOBU_ASSIGN_OR_RETURN(action.options, OptionValues(alter.options));
    if (action.kind == AlterKind::kAddColumn || action.kind == AlterKind::kSetDataType) {
      action.definition = alter.column.column;
    }
    if (action.kind == AlterKind::kAddColumn && alter.column.primary_key) {
      return Error(alter.column.at, "ADD COLUMN with PRIMARY KEY is not supported");
    }
    if (action.kind == AlterKind::kAddColumn && action.definition.mode == Mode::kRequired) {
      return Error(alter.column.at,
                   fmt::format("Cannot add required fields to an existing schema: field {}", action.column));
    }
    if (action.kind == AlterKind::kAddForeignKey) {
      HAKOBU_ASSIGN_OR_RETURN(action.foreign_key, Foreign(action.foreign_key, action.key, parsed.target_at));
      action.key.clear();
    }
    out.actions.push_back(std::move(action));
  }
  HAKOBU_ASSIGN_OR_RETURN(out.options, OptionValues(parsed.options));
  return absl::OkStatus();
}

absl::Status Translator::Ddl(const ParsedStatement& parsed, Statement& out) {
  bool dataset = parsed.kind == StatementKind::kCreateSchema || parsed.kind == StatementKind::kDropSchema ||
                 parsed.kind == StatementKind::kAlterSchema;
  if (dataset) {
    if (parsed.target.size() > 2) return Error(parsed.target_at, "Invalid schema name");
    out.target.project = parsed.target.size() == 2 ? parsed.target[0] : context_.project;
    out.target.dataset = parsed.target.back();
  } else {
    HAKOBU_ASSIGN_OR_RETURN(out.target, FullName(parsed.target, parsed.target_at));
  }
  switch (parsed.kind) {
    case StatementKind::kCreateTable:
    case StatementKind::kCreateTableAsSelect:
      return CreateTableDdl(parsed, out);
    case StatementKind::kCreateView: {
      TableDefinition& view = out.definition;
      view.name = out.target;
      view.schema = out.schema;
      view.or_replace = parsed.or_replace;
      view.if_not_exists = parsed.if_not_exists;
      view.view_query = std::string(sql_.substr(parsed.query_begin, parsed.query_end - parsed.query_begin));
      HAKOBU_ASSIGN_OR_RETURN(view.options, OptionValues(parsed.options));
      return absl::OkStatus();
    }
    case StatementKind::kAlterTable:
    case StatementKind::kAlterView:
      return AlterDdl(parsed, out);
    default:
      break;
  }
  HAKOBU_ASSIGN_OR_RETURN(out.options, OptionValues(parsed.options));
  return absl::OkStatus();
}

}  // namespace hakobu::localbq::sql
