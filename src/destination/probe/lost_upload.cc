// A resumable upload whose last answer is thrown away: what an empty PUT says then, whether the job of the
// chosen id is there, and what the same id answers to a second upload.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "destination/probe/experiments.h"
#include "destination/probe/site.h"

namespace hakobu {
namespace {

constexpr char kUploadFields[] = R"([{"name":"id","type":"INTEGER"}])";

// The session's address; any other answer is an error.
absl::StatusOr<std::string> BeginUpload(ProbeSite& site, const std::string& job) {
  HttpRequest request;
  request.method = "POST";
  request.url =
      fmt::format("{}/upload/bigquery/v2{}?uploadType=resumable", site.rest().options().endpoint.rest,
                  ResourcePath({"projects", site.plan().billing_project, "jobs"}));
  request.headers = {"Content-Type: application/json; charset=UTF-8",
                     "X-Upload-Content-Type: application/octet-stream"};
  request.body = job;
  HAKOBU_ASSIGN_OR_RETURN(const HttpResponse response, site.rest().Send(std::move(request)));
  if (response.status / 100 != 2) return RestError("begin an upload", response.status, response.body);
  return std::string(response.Header("location"));
}

absl::StatusOr<int> Put(ProbeSite& site, const std::string& session, std::string_view body,
                        std::string range) {
  HttpRequest request;
  request.method = "PUT";
  request.url = session;
  request.body = body;
  request.headers = {"Content-Type: application/octet-stream", "Content-Range: bytes " + std::move(range)};
  HAKOBU_ASSIGN_OR_RETURN(const HttpResponse response, site.rest().Send(std::move(request)));
  return response.status;
}

}  // namespace

ProbeAnswers ProbeLostUpload(ProbeSite& site) {
  HAKOBU_ASSIGN_OR_RETURN(const TableName table, site.Make("lost_upload", kUploadFields));
  const JobName name{site.plan().billing_project, MakeJobId("probe_upload", {table.ToString()}),
                     site.plan().location};
  LoadSettings settings;
  settings.target = table;
  settings.format = "NEWLINE_DELIMITED_JSON";
  settings.create = false;
  const std::string job =
      nlohmann::json{
          {"configuration", nlohmann::json::parse(LoadConfiguration(settings))},
          {"jobReference", {{"projectId", name.project}, {"jobId", name.id}, {"location", name.location}}}}
          .dump();
  const std::string file = "{\"id\":1}\n";
  HAKOBU_ASSIGN_OR_RETURN(const std::string session, BeginUpload(site, job));
  HAKOBU_RETURN_IF_ERROR(
      Put(site, session, file, fmt::format("0-{}/{}", file.size() - 1, file.size())).status());
  HAKOBU_ASSIGN_OR_RETURN(const int asked, Put(site, session, "", fmt::format("*/{}", file.size())));
  const absl::Status there = WaitForJob(site.rest(), name).status();
  // Both places at which a service may notice that the id is taken.
  const absl::StatusOr<std::string> again = BeginUpload(site, job);
  std::string second = Words(again.status());
  if (again.ok()) {
    HAKOBU_ASSIGN_OR_RETURN(const int status,
                            Put(site, *again, file, fmt::format("0-{}/{}", file.size() - 1, file.size())));
    second = fmt::format("begun, then {}", status);
  }
  HAKOBU_ASSIGN_OR_RETURN(const int64_t rows, site.Count(table));
  ProbeAnswer answer{.question = "lost_upload"};
  answer.answer = there.ok() && rows == 1 ? "found" : "lost";
  answer.seen = fmt::format("the empty PUT: {}; the job: {}; a second upload of the id: {}; rows: {}", asked,
                            Words(there), second, rows);
  answer.meaning = rows == 1 ? "the same id again loads nothing twice" : "the same id again is not safe";
  answer.taken = "a lost answer is asked for, then the file is sent again under the same id";
  return std::vector<ProbeAnswer>{std::move(answer)};
}

}  // namespace hakobu
