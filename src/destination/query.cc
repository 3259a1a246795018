// Queries [REST v2: jobs.insert, jobs.getQueryAnswers]: a job with an id, so that a lost answer is found
// again.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <random>

#include "base/status.h"
#include "destination/job_json.h"
#include "destination/jobs.h"
#include "destination/json.h"

namespace hakobu {
namespace {

using nlohmann::json;

json ParameterJson(const QueryParameter& parameter) {
  json item = {{"parameterType", {{"type", parameter.type}}},
               {"parameterValue", {{"value", parameter.value ? json(*parameter.value) : json(nullptr)}}}};
  if (!parameter.name.empty()) item["name"] = parameter.name;
  return item;
}

std::string RandomJobId() {
  std::random_device device;
  return fmt::format("hakobu_query_{:08x}{:08x}{:08x}", device(), device(), device());
}

json QueryJobConfiguration(const QuerySpec& query, bool dry_run) {
  json body = {{"query", query.sql}, {"useLegacySql", false}};
  if (!query.parameters.empty()) {
    body["parameterMode"] = query.parameters.front().name.empty() ? "POSITIONAL" : "NAMED";
    for (const QueryParameter& parameter : query.parameters) {
      body["queryParameters"].push_back(ParameterJson(parameter));
    }
  }
  if (query.destination.has_value()) {
    body["destinationTable"] = TableReferenceJson(*query.destination);
    body["writeDisposition"] = WriteDispositionName(query.disposition);
    body["createDisposition"] = "CREATE_NEVER";
  }
  if (!query.kms_key.empty()) body["destinationEncryptionConfiguration"]["kmsKeyName"] = query.kms_key;
  json configuration = {{"query", std::move(body)}};
  for (const auto& [key, value] : query.labels) configuration["labels"][key] = value;
  if (dry_run) configuration["dryRun"] = true;
  return configuration;
}

// The first page may be a while in coming: getQueryAnswers waits for the job itself.
absl::StatusOr<json> ResultsPage(Rest& rest, const JobName& job, const std::string& page_token) {
  RestCallSpec spec = {
      .path = ResourcePath({"projects", job.project, "queries", job.id}),
      .query = {{"maxResults", "10000"}, {"timeoutMs", "10000"}, {"formatOptions.useInt64Timestamp", "true"}},
      .what = "read the results of job " + job.ToString(),
      .answer_within = kJobAnswerWithin};
  if (!job.location.empty()) spec.query.emplace_back("location", job.location);
  if (!page_token.empty()) spec.query.emplace_back("pageToken", page_token);
  HAKOBU_ASSIGN_OR_RETURN(const std::string body, rest.Call(spec));
  return ParseJson(body, spec.what);
}

absl::StatusOr<Job> RunQueryPages(Rest& rest, const QuerySpec& query,
                                  absl::FunctionRef<absl::Status(const json&)> each_page) {
  const JobName name = {query.project, query.job_id.empty() ? RandomJobId() : query.job_id, query.location};
  HAKOBU_ASSIGN_OR_RETURN(Job job, RunJob(rest, name, QueryConfiguration(query)));
  std::string token;
  for (bool more = true; more;) {
    HAKOBU_ASSIGN_OR_RETURN(const json page, ResultsPage(rest, job.name, token));
    if (page.contains("jobComplete") && !FlagAt(page, "jobComplete")) {  // its time-out passed: ask again
      HAKOBU_RETURN_IF_ERROR(SleepFor(rest.options().context, absl::Milliseconds(100)));
      continue;
    }
    HAKOBU_RETURN_IF_ERROR(each_page(page));
    token = TextAt(page, "pageToken");
    more = !token.empty();
  }
  return job;
}

}  // namespace

std::string QueryConfiguration(const QuerySpec& query) {
  return QueryJobConfiguration(query, /*dry_run=*/false).dump();
}

absl::StatusOr<QueryAnswer> RunQuery(Rest& rest, const QuerySpec& query) {
  QueryAnswer result;
  auto take_page = [&](const json& page) {
    if (result.columns.empty()) {
      for (const json& field : ListAt(ObjectAt(page, "schema"), "fields")) {
        result.columns.push_back(TextAt(field, "name"));
      }
    }
    return ForEachRow(page, [&](const RowValues& row) {
      result.rows.push_back(row);
      return absl::OkStatus();
    });
  };
  HAKOBU_ASSIGN_OR_RETURN(result.job, RunQueryPages(rest, query, take_page));
  return result;
}

absl::StatusOr<Job> RunQuery(Rest& rest, const QuerySpec& query,
                             absl::FunctionRef<absl::Status(const RowValues&)> each) {
  return RunQueryPages(rest, query, [&](const json& page) { return ForEachRow(page, each); });
}

absl::Status RunTableDdl(Rest& rest, const QuerySpec& query, const TableName& table) {
  HAKOBU_RETURN_IF_ERROR(rest.table_change_pace().Wait(rest.options().context, table.ToString()));
  const absl::Status status = RunQuery(rest, query).status();
  if (status.ok()) rest.recent_ddl().Note(table.ToString(), rest.options().context.clock->Now());
  return status;
}

absl::StatusOr<Job> DryRunQuery(Rest& rest, const QuerySpec& query) {
  const std::string what = "check a query in " + query.project;
  json resource = {{"configuration", QueryJobConfiguration(query, /*dry_run=*/true)}};
  resource["jobReference"] = {{"projectId", query.project}};
  if (!query.location.empty()) resource["jobReference"]["location"] = query.location;
  const std::string body = resource.dump();
  HAKOBU_ASSIGN_OR_RETURN(std::string answer,
                          rest.Call({.method = "POST",
                                     .path = ResourcePath({"projects", query.project, "jobs"}),
                                     .body = body,
                                     .what = what}));
  HAKOBU_ASSIGN_OR_RETURN(Job job, ParseJob(std::move(answer), {query.project, "", query.location}, what));
  if (!job.error.ok()) return job.error;
  return job;
}

}  // namespace hakobu
