#include "localbq/catalog/table_change.h"

#include <fmt/format.h>

#include "base/status.h"

namespace hakobu::localbq {
namespace {

// The name a column of `after` had before.
std::string_view FormerName(std::string_view name, const Renames& renames) {
  for (const auto& [former, latter] : renames) {
    if (SameName(latter, name)) return former;
  }
  return name;
}

// GoogleSQL's ALTER COLUMN SET DATA TYPE: only to a type that holds every value.
bool Widens(Type from, Type to) {
  switch (from) {
    case Type::kInt64:
      return to == Type::kNumeric || to == Type::kBigNumeric || to == Type::kFloat64;
    case Type::kNumeric:
      return to == Type::kBigNumeric || to == Type::kFloat64;
    default:
      return false;
  }
}

// DuckDB 1.5 does not survive the replay of ALTER … SET DATA TYPE … USING from its log, so a column of
// another type means another table.
absl::StatusOr<std::vector<std::string>> RewriteSql(const TableId& id, const Schema& before,
                                                    const Schema& after, const Renames& renames) {
  const std::string fresh = DuckDbName(id.parent()) + "." + Quoted(DuckDbTableName(id.table) + "~new");
  std::string names, values;
  for (const Column& column : after) {
    const Column* former = FindColumn(before, FormerName(column.name, renames));
    if (former == nullptr) continue;
    HAKOBU_ASSIGN_OR_RETURN(const std::string value, ConvertedColumn(*former, column));
    names += fmt::format("{}{}", names.empty() ? "" : ", ", Quoted(column.name));
    values += fmt::format("{}{}", values.empty() ? "" : ", ", value);
  }
  return std::vector<std::string>{
      CreateTableSql(fresh, after),
      fmt::format("INSERT INTO {} ({}) SELECT {} FROM {}", fresh, names, values, DuckDbName(id)),
      fmt::format("DROP TABLE {}", DuckDbName(id)),
      fmt::format("ALTER TABLE {} RENAME TO {}", fresh, Quoted(DuckDbTableName(id.table))),
  };
}

}  // namespace

absl::StatusOr<std::string> ConvertedColumn(const Column& from, const Column& to) {
  const std::string name = Quoted(from.name);
  if (from.type == to.type && (from.mode == Mode::kRepeated) == (to.mode == Mode::kRepeated)) {
    return DuckDbType(from) == DuckDbType(to) ? name : fmt::format("CAST({} AS {})", name, DuckDbType(to));
  }
  const bool lists = from.mode == Mode::kRepeated || to.mode == Mode::kRepeated;
  if (lists || !Widens(from.type, to.type)) {
    return absl::InvalidArgumentError(fmt::format("Field {} has changed type from {} to {}", from.name,
                                                  SqlTypeText(from), SqlTypeText(to)));
  }
  if (to.type != Type::kBigNumeric) return fmt::format("CAST({} AS {})", name, DuckDbType(to));
  const int missing_digits = from.type == Type::kInt64 ? 38 : 29;  // BIGNUMERIC is stored times 10^38
  return fmt::format("CAST(replace(CAST({} AS VARCHAR), '.', '') || repeat('0', {}) AS BIGNUM)", name,
                     missing_digits);
}

std::string CreateTableSql(const std::string& quoted_name, const Schema& schema) {
  // DuckDB has no table without columns; BigQuery does, until its first load.
  if (schema.empty()) return fmt::format("CREATE TABLE {} (\"~none\" BOOLEAN)", quoted_name);
  std::string columns;
  for (const Column& column : schema) {
    columns += fmt::format("{}{} {}{}", columns.empty() ? "" : ", ", Quoted(column.name), DuckDbType(column),
                           column.mode == Mode::kRequired ? " NOT NULL" : "");
  }
  return fmt::format("CREATE TABLE {} ({})", quoted_name, columns);
}

Schema WithNewColumnsLast(const Schema& before, Schema after, const Renames& renames) {
  Schema ordered, added;
  for (Column& column : after) {
    const bool is_new = FindColumn(before, FormerName(column.name, renames)) == nullptr;
    (is_new ? added : ordered).push_back(std::move(column));
  }
  // Those that were there keep the order they were in.
  Schema result;
  for (const Column& former : before) {
    for (Column& column : ordered) {
      if (!column.name.empty() && SameName(FormerName(column.name, renames), former.name)) {
        result.push_back(std::move(column));
        column.name.clear();
      }
    }
  }
  for (Column& column : added) result.push_back(std::move(column));
  return result;
}

absl::StatusOr<std::vector<std::string>> AlterSql(const TableId& id, const Schema& before,
                                                  const Schema& after, const Renames& renames) {
  std::vector<std::string> statements;
  if (before == after) return statements;
  const std::string alter = fmt::format("ALTER TABLE {} ", DuckDbName(id));
  bool rewrite = before.empty();
  for (const Column& column : after) {
    const Column* former = FindColumn(before, FormerName(column.name, renames));
    if (former == nullptr) {
      if (column.mode == Mode::kRequired) rewrite = true;
      statements.push_back(fmt::format("{}ADD COLUMN {} {}", alter, Quoted(column.name), DuckDbType(column)));
      continue;
    }
    if (DuckDbType(*former) != DuckDbType(column)) rewrite = true;
    if (former->name != column.name) {
      statements.push_back(
          fmt::format("{}RENAME COLUMN {} TO {}", alter, Quoted(former->name), Quoted(column.name)));
    }
    if (former->mode == Mode::kRequired && column.mode != Mode::kRequired) {
      statements.push_back(fmt::format("{}ALTER COLUMN {} DROP NOT NULL", alter, Quoted(column.name)));
    } else if (former->mode != Mode::kRequired && column.mode == Mode::kRequired) {
      statements.push_back(fmt::format("{}ALTER COLUMN {} SET NOT NULL", alter, Quoted(column.name)));
    }
  }
  if (before.empty()) {
    return std::vector<std::string>{fmt::format("DROP TABLE {}", DuckDbName(id)),
                                    CreateTableSql(DuckDbName(id), after)};
  }
  if (rewrite) return RewriteSql(id, before, after, renames);
  for (const Column& former : before) {
    bool kept = false;
    for (const Column& column : after) kept = kept || SameName(FormerName(column.name, renames), former.name);
    if (!kept) statements.push_back(fmt::format("{}DROP COLUMN {}", alter, Quoted(former.name)));
  }
  return statements;
}

}  // namespace hakobu::localbq
