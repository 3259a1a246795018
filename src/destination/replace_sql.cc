#include "destination/replace_sql.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "destination/jobs.h"
#include "destination/json.h"

namespace hakobu {
namespace {

using nlohmann::json;

std::string WhereClause(std::string_view every_row) {
  return every_row.empty() ? "" : fmt::format(" WHERE {}", every_row);
}

std::string ColumnList(const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + QuoteColumn(column);
  return list;
}

absl::StatusOr<uint64_t> RunCount(Rest& rest, const CountSpec& spec, std::string sql, std::string_view what) {
  QuerySpec query;
  query.project = spec.project;
  query.location = spec.location;
  query.sql = std::move(sql);
  absl::StatusOr<QueryAnswer> answer = RunQuery(rest, query);
  if (!answer.ok()) return Annotate(answer.status(), fmt::format("{} {}", what, spec.table.ToString()));
  const bool one = answer->rows.size() == 1 && answer->rows[0].size() == 1 && answer->rows[0][0].has_value();
  const std::string text = one ? *answer->rows[0][0] : "";
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (one && error == std::errc() && end == text.data() + text.size()) return count;
  return absl::InternalError(
      fmt::format("{} {}: expected one number, found '{}'", what, spec.table.ToString(), text));
}

}  // namespace

std::string QuoteColumn(std::string_view name) {
  std::string quoted = "`";
  for (const char letter : name) {
    if (letter == '`' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return quoted + "`";
}

std::string EveryRow(std::string_view table_json, std::string_view alias) {
  const json table = json::parse(table_json, nullptr, /*allow_exceptions=*/false);
  const json& time = ObjectAt(table, "timePartitioning");
  if (!FlagAt(table, "requirePartitionFilter") && !FlagAt(time, "requirePartitionFilter")) return "";
  std::string column = TextAt(ObjectAt(table, "rangePartitioning"), "field");
  if (column.empty()) column = TextAt(time, "field");
  if (column.empty()) column = "_PARTITIONTIME";  // partitioned by the time of arrival
  const std::string name = (alias.empty() ? "" : std::string(alias) + ".") + QuoteColumn(column);
  return fmt::format("({0} IS NULL OR {0} IS NOT NULL)", name);
}

std::string SelectAllSql(const TableName& source, const std::vector<std::string>& columns,
                         std::string_view every_row) {
  return fmt::format("SELECT {} FROM {}{}", ColumnList(columns), source.Quoted(), WhereClause(every_row));
}

std::string ReplaceByMergeSql(const TableName& source, const TableName& target,
                              const std::vector<std::string>& columns, std::string_view every_row) {
  const std::string list = ColumnList(columns);
  const std::string condition = every_row.empty() ? "" : fmt::format(" AND {}", every_row);
  return fmt::format(
      "MERGE {} AS target USING {} AS source ON FALSE WHEN NOT MATCHED BY TARGET THEN INSERT ({}) VALUES "
      "({}) "
      "WHEN NOT MATCHED BY SOURCE{} THEN DELETE",
      target.Quoted(), source.Quoted(), list, list, condition);
}

absl::StatusOr<uint64_t> CountRows(Rest& rest, const CountSpec& spec) {
  return RunCount(rest, spec,
                  fmt::format("SELECT COUNT(*) FROM {}{}", spec.table.Quoted(), WhereClause(spec.every_row)),
                  "count the rows of");
}

absl::StatusOr<bool> HasRows(Rest& rest, const CountSpec& spec) {
  HAKOBU_ASSIGN_OR_RETURN(const uint64_t some,
                          RunCount(rest, spec,
                                   fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {}{} LIMIT 1)",
                                               spec.table.Quoted(), WhereClause(spec.every_row)),
                                   "look for rows in"));
  return some > 0;
}

}  // namespace hakobu
