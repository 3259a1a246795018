#include "destination/row_count.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "destination/jobs.h"
#include "destination/json.h"

namespace hakobu {

std::string EveryRow(std::string_view table_json) {
  const nlohmann::json table = nlohmann::json::parse(table_json, nullptr, /*allow_exceptions=*/false);
  const nlohmann::json& time = ObjectAt(table, "timePartitioning");
  if (!FlagAt(table, "requirePartitionFilter") && !FlagAt(time, "requirePartitionFilter")) return "";
  std::string column = TextAt(ObjectAt(table, "rangePartitioning"), "field");
  if (column.empty()) column = TextAt(time, "field");
  if (column.empty()) column = "_PARTITIONTIME";  // partitioned by the time of arrival
  return fmt::format("(`{0}` IS NULL OR `{0}` IS NOT NULL)", column);
}

absl::StatusOr<bool> HasRows(Rest& rest, const RowQuestion& question) {
  QuerySpec query;
  query.project = question.project;
  query.location = question.location;
  query.sql = fmt::format("SELECT 1 FROM {}{} LIMIT 1", question.table.Quoted(),
                          question.every_row.empty() ? "" : " WHERE " + question.every_row);
  const absl::StatusOr<QueryAnswer> answer = RunQuery(rest, query);
  if (!answer.ok()) return Annotate(answer.status(), "look for rows in " + question.table.ToString());
  return !answer->rows.empty();
}

}  // namespace hakobu
