#include "destination/probe/site.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/status.h"

namespace hakobu {

std::string Words(const absl::Status& status) {
  if (status.ok()) return "ok";
  std::string_view message = View(status.message());
  message = message.substr(0, message.find("; hint: "));
  return fmt::format("{}: {}", absl::StatusCodeToString(status.code()), message);
}

TableName ProbeSite::Table(std::string_view name) const {
  return {plan_.scratch.project, plan_.scratch.dataset, std::string(name)};
}

absl::StatusOr<TableName> ProbeSite::Make(std::string_view name, std::string_view fields,
                                          std::string_view more) {
  nlohmann::json table = nlohmann::json::parse(more);
  table["schema"]["fields"] = nlohmann::json::parse(fields);
  const TableName made = Table(name);
  HAKOBU_RETURN_IF_ERROR(CreateTable(rest_, made, table.dump()).status());
  return made;
}

absl::StatusOr<std::vector<RowValues>> ProbeSite::Query(std::string sql) {
  QuerySpec query;
  query.project = plan_.billing_project;
  query.location = plan_.location;
  query.sql = std::move(sql);
  HAKOBU_ASSIGN_OR_RETURN(QueryAnswer answer, RunQuery(rest_, query));
  return std::move(answer.rows);
}

absl::StatusOr<int64_t> ProbeSite::Count(const TableName& table) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<RowValues> rows,
                          Query(fmt::format("SELECT COUNT(*) FROM {}", table.Quoted())));
  int64_t count = -1;
  if (!rows.empty() && !rows[0].empty() && rows[0][0].has_value()) {
    std::from_chars(rows[0][0]->data(), rows[0][0]->data() + rows[0][0]->size(), count);
  }
  if (count < 0) return absl::InternalError("count the rows of " + table.ToString() + ": no number");
  return count;
}

absl::StatusOr<std::string> ProbeSite::List(std::string sql) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<RowValues> rows, Query(std::move(sql)));
  std::vector<std::string> values;
  for (const RowValues& row : rows) {
    values.push_back(row.empty() ? "" : row.front().value_or("NULL"));
  }
  std::ranges::sort(values);
  return fmt::format("{}", fmt::join(values, " "));
}

JobName ProbeSite::NewJob(std::string_view kind) {
  return {plan_.billing_project, MakeJobId(kind, {plan_.scratch.dataset, std::to_string(++jobs_)}),
          plan_.location};
}

absl::Status ProbeSite::Load(const TableName& table, std::string_view file, WriteDisposition disposition,
                             std::string_view format, std::string_view fields) {
  LoadSettings settings;
  settings.target = table;
  settings.disposition = disposition;
  settings.format = std::string(format);
  settings.schema_fields = std::string(fields);
  settings.create = false;
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<LoadUpload> upload,
                          LoadUpload::Start(rest_, NewJob("probe_load"), LoadConfiguration(settings)));
  HAKOBU_RETURN_IF_ERROR(upload->Write(file));
  HAKOBU_ASSIGN_OR_RETURN(const Job job, upload->Finish());
  return WaitForJob(rest_, job.name).status();
}

absl::Status ProbeSite::Copy(const TableName& from, const TableName& to, WriteDisposition disposition) {
  return RunJob(rest_, NewJob("probe_copy"), CopyConfiguration({from}, to, disposition)).status();
}

absl::Status ProbeSite::Select(std::string sql, const TableName& to, WriteDisposition disposition) {
  QuerySpec query;
  query.project = plan_.billing_project;
  query.sql = std::move(sql);
  query.destination = to;
  query.disposition = disposition;
  return RunJob(rest_, NewJob("probe_query"), QueryConfiguration(query)).status();
}

}  // namespace hakobu
