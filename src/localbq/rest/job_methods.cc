// The jobs resource's methods.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "localbq/rest/access.h"
#include "localbq/rest/anonymous.h"
#include "localbq/rest/jobs.h"
#include "localbq/rest/service.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

// Long enough for a small job to be done in its first answer: clients poll a second at a time.
constexpr absl::Duration kFirstAnswer = absl::Milliseconds(300);
constexpr absl::Duration kCancelAgain = absl::Milliseconds(10);

}  // namespace

absl::StatusOr<Reply> InsertJob(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(const json body, request.Json());
  HAKOBU_ASSIGN_OR_RETURN(JobPtr job, MakeJob(service, body, request.Segment(1), request.identity));
  if (job->type == "LOAD") {
    return absl::InvalidArgumentError(Child(job->configuration, "load").contains("sourceUris")
                                          ? "The local BigQuery has no Cloud Storage: send the data with the "
                                            "job (multipart or resumable upload)"
                                          : "Load configuration must specify at least one source URI");
  }
  if (job->type == "QUERY" && Flag(job->configuration, "dryRun")) {
    HAKOBU_RETURN_IF_ERROR(RunQuery(service, *job));
    json resource = job->Resource(service.url);
    resource["status"]["state"] = "DONE";
    resource["jobReference"].erase("jobId");
    return JsonReply(resource);
  }
  const auto work = [&service](Job& running) {
    return running.type == "COPY" ? RunCopy(service, running) : RunQuery(service, running);
  };
  HAKOBU_ASSIGN_OR_RETURN(job, service.jobs->Submit(std::move(job), work));
  job->Wait(kFirstAnswer);
  return JsonReply(job->Resource(service.url));
}

absl::StatusOr<Reply> GetJob(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(const JobPtr job, service.jobs->FindIn(request.Segment(1), request.Segment(3),
                                                                 request.Query("location")));
  HAKOBU_RETURN_IF_ERROR(CheckJob(service, request, *job, "bigquery.jobs.get"));
  return JsonReply(job->Resource(service.url));
}

absl::StatusOr<Reply> ListJobs(Service& service, const Request& request) {
  std::vector<json> resources;
  const auto wanted_states = request.query.equal_range("stateFilter");
  // Other people's jobs: those who may, when they ask for them.
  const bool of_all = request.QueryFlag("allUsers") &&
                      IsVisible(service, request, "bigquery.jobs.listAll", {request.Segment(1), "", ""});
  for (const JobPtr& job : service.jobs->List(request.Segment(1))) {
    const bool is_own = service.authority == nullptr || auth::EmailOf(request.identity) == job->user;
    if (!is_own && !of_all) continue;
    json resource = job->Resource(service.url);
    const std::string state =
        absl::AsciiStrToLower(resource["status"]["state"].get_ref<const std::string&>());
    bool wanted = wanted_states.first == wanted_states.second;
    for (auto at = wanted_states.first; at != wanted_states.second; ++at)
      wanted = wanted || at->second == state;
    const int64_t least = ParseInteger(request.Query("minCreationTime"), 0);
    const int64_t most = ParseInteger(request.Query("maxCreationTime"), INT64_MAX);
    if (wanted && job->created_ms >= least && job->created_ms <= most)
      resources.push_back(std::move(resource));
  }
  HAKOBU_ASSIGN_OR_RETURN(const Page page, PageOf(request, resources.size(), 50));
  json list = {{"kind", "bigquery#jobList"}, {"etag", "jobs"}, {"jobs", json::array()}};
  for (size_t i = page.begin; i < page.end; ++i) {
    json& resource = resources[i];
    resource["state"] = resource["status"]["state"];
    if (resource["status"].contains("errorResult"))
      resource["errorResult"] = resource["status"]["errorResult"];
    list["jobs"].push_back(std::move(resource));
  }
  if (!page.next_token.empty()) list["nextPageToken"] = page.next_token;
  return JsonReply(list);
}

absl::StatusOr<Reply> CancelJob(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(const JobPtr job, service.jobs->FindIn(request.Segment(1), request.Segment(3),
                                                                 request.Query("location")));
  HAKOBU_RETURN_IF_ERROR(CheckJob(service, request, *job, "bigquery.jobs.update"));
  // Again and again, for a statement may begin between two.
  const absl::Time deadline = absl::Now() + kFirstAnswer;
  do {
    job->Cancel();
  } while (!job->Wait(kCancelAgain) && absl::Now() < deadline);
  return JsonReply({{"kind", "bigquery#jobCancelResponse"}, {"job", job->Resource(service.url)}});
}

absl::StatusOr<Reply> DeleteJob(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(const JobPtr job, service.jobs->FindIn(request.Segment(1), request.Segment(3),
                                                                 request.Query("location")));
  HAKOBU_RETURN_IF_ERROR(CheckJob(service, request, *job, "bigquery.jobs.delete"));
  HAKOBU_RETURN_IF_ERROR(service.jobs->Remove(job->project, job->id));
  HAKOBU_RETURN_IF_ERROR(DropAnonymousTable(service, *job));
  Reply reply;
  reply.status = 204;
  return reply;
}

}  // namespace hakobu::localbq::rest
