#include "localbq/rest/router.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "localbq/faults/faults.h"
#include "localbq/rest/access.h"
#include "localbq/rest/auth_endpoints.h"
#include "localbq/rest/fault_methods.h"
#include "localbq/rest/partial_response.h"

namespace hakobu::localbq::rest {
namespace {

struct RouteRow {
  std::string_view name;  // as Google's reference and the rules of faults/ have it
  std::string_view method;
  std::string_view pattern;  // '*' stands for one segment
  std::string_view verb;
  Handler handler;
  // With --auth, on the project, dataset or table that the path names. Empty: the handler decides.
  std::string_view permission = "";
  ScopeNeed scope = ScopeNeed::kRead;
};

constexpr std::string_view kDataset = "projects/*/datasets/*";
constexpr std::string_view kTable = "projects/*/datasets/*/tables/*";
constexpr std::string_view kRowPolicies = "projects/*/datasets/*/tables/*/rowAccessPolicies";
constexpr std::string_view kRowPolicy = "projects/*/datasets/*/tables/*/rowAccessPolicies/*";

constexpr RouteRow kRoutes[] = {
    {"projects.list", "GET", "projects", "", ListProjects},
    {"datasets.list", "GET", "projects/*/datasets", "", ListDatasets},
    {"datasets.insert", "POST", "projects/*/datasets", "", InsertDataset, "bigquery.datasets.create",
     ScopeNeed::kWrite},
    {"datasets.get", "GET", kDataset, "", GetDataset, "bigquery.datasets.get"},
    {"datasets.patch", "PATCH", kDataset, "", PatchDataset, "bigquery.datasets.update", ScopeNeed::kWrite},
    {"datasets.update", "PUT", kDataset, "", UpdateDataset, "bigquery.datasets.update", ScopeNeed::kWrite},
    {"datasets.delete", "DELETE", kDataset, "", DeleteDataset, "bigquery.datasets.delete", ScopeNeed::kWrite},
    {"routines.list", "GET", "projects/*/datasets/*/routines", "", ListNone, "bigquery.routines.list"},
    {"models.list", "GET", "projects/*/datasets/*/models", "", ListNone, "bigquery.models.list"},
    {"tables.list", "GET", "projects/*/datasets/*/tables", "", ListTables, "bigquery.tables.list"},
    {"tables.insert", "POST", "projects/*/datasets/*/tables", "", InsertTable, "bigquery.tables.create",
     ScopeNeed::kWrite},
    {"tables.get", "GET", kTable, "", GetTable, "bigquery.tables.get"},
    {"tables.patch", "PATCH", kTable, "", PatchTable, "bigquery.tables.update", ScopeNeed::kWrite},
    {"tables.update", "PUT", kTable, "", UpdateTable, "bigquery.tables.update", ScopeNeed::kWrite},
    {"tables.delete", "DELETE", kTable, "", DeleteTable, "bigquery.tables.delete", ScopeNeed::kWrite},
    {"tabledata.list", "GET", "projects/*/datasets/*/tables/*/data", "", ListTableData,
     "bigquery.tables.getData"},
    {"tabledata.insertAll", "POST", "projects/*/datasets/*/tables/*/insertAll", "", InsertAll,
     "bigquery.tables.updateData", ScopeNeed::kInsertData},
    {"tables.getIamPolicy", "POST", kTable, "getIamPolicy", GetTablePolicy, "bigquery.tables.getIamPolicy"},
    {"tables.setIamPolicy", "POST", kTable, "setIamPolicy", SetTablePolicy, "bigquery.tables.setIamPolicy",
     ScopeNeed::kWrite},
    {"tables.testIamPermissions", "POST", kTable, "testIamPermissions", TestTablePermissions},
    {"rowAccessPolicies.list", "GET", kRowPolicies, "", ListRowPolicies, "bigquery.rowAccessPolicies.list"},
    {"rowAccessPolicies.insert", "POST", kRowPolicies, "", InsertRowPolicy,
     "bigquery.rowAccessPolicies.create", ScopeNeed::kWrite},
    {"rowAccessPolicies.batchDelete", "POST", kRowPolicies, "batchDelete", DeleteRowPolicies,
     "bigquery.rowAccessPolicies.delete", ScopeNeed::kWrite},
    {"rowAccessPolicies.get", "GET", kRowPolicy, "", GetRowPolicy, "bigquery.rowAccessPolicies.get"},
    {"rowAccessPolicies.update", "PUT", kRowPolicy, "", UpdateRowPolicy, "bigquery.rowAccessPolicies.update",
     ScopeNeed::kWrite},
    {"rowAccessPolicies.delete", "DELETE", kRowPolicy, "", DeleteRowPolicy,
     "bigquery.rowAccessPolicies.delete", ScopeNeed::kWrite},
    {"jobs.list", "GET", "projects/*/jobs", "", ListJobs, "bigquery.jobs.list"},
    {"jobs.insert", "POST", "projects/*/jobs", "", InsertJob, "bigquery.jobs.create", ScopeNeed::kWrite},
    {"jobs.get", "GET", "projects/*/jobs/*", "", GetJob},
    {"jobs.cancel", "POST", "projects/*/jobs/*/cancel", "", CancelJob, "", ScopeNeed::kWrite},
    {"jobs.delete", "DELETE", "projects/*/jobs/*/delete", "", DeleteJob, "", ScopeNeed::kWrite},
    {"jobs.query", "POST", "projects/*/queries", "", Query, "bigquery.jobs.create"},
    {"jobs.getQueryResults", "GET", "projects/*/queries/*", "", GetQueryResults},
};

bool Matches(std::string_view pattern, const std::vector<std::string>& segments) {
  size_t index = 0;
  while (true) {
    const size_t slash = std::min(pattern.find('/'), pattern.size());
    if (index == segments.size()) return false;
    const std::string_view part = pattern.substr(0, slash);
    if (part != "*" && part != segments[index]) return false;
    ++index;
    if (slash == pattern.size()) return index == segments.size();
    pattern.remove_prefix(slash + 1);
  }
}

std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) segments.emplace_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return segments;
}

void TakeVerb(Request* request) {
  if (request->segments.empty()) return;
  std::string& last = request->segments.back();
  const size_t colon = last.rfind(':');
  if (colon == std::string::npos) return;
  request->verb = last.substr(colon + 1);
  last.resize(colon);
}

constexpr std::string_view kFaultsPath = "/hakobu/v1/faults";

// Outside Google's API: `rest` is "" or "/{id}".
// With --auth they are for whoever may change something: Admit has asked who it is.
Reply RouteFaults(Service& service, Request& request, std::string_view rest) {
  if (std::optional<Reply> refused = Admit(service, ScopeNeed::kWrite, &request)) return *std::move(refused);
  request.segments = Split(rest);
  const Handler handler = request.method == "GET"      ? DescribeFaults
                          : request.method == "POST"   ? AddFaults
                          : request.method == "DELETE" ? RemoveFaults
                                                       : nullptr;
  if (handler == nullptr) {
    return ErrorReply(absl::UnimplementedError(fmt::format(
        "{} {}: the local BigQuery's faults take GET, POST and DELETE", request.method, request.path)));
  }
  const absl::StatusOr<Reply> reply = handler(service, request);
  return reply.ok() ? *reply : ErrorReply(reply.status());
}

// What the path names: projects/P[/datasets/D[/tables/T]].
auth::Resource ResourceOf(const Request& request) {
  const std::vector<std::string>& segments = request.segments;
  auth::Resource resource;
  if (segments.size() > 1) resource.project = segments[1];
  if (segments.size() > 3 && segments[2] == "datasets") resource.dataset = segments[3];
  if (segments.size() > 5 && segments[4] == "tables") resource.table = segments[5];
  return resource;
}

// What the `fields` parameter leaves of an answer.
absl::StatusOr<Reply> Partial(const Request& request, Reply reply) {
  const std::string_view fields = request.Query("fields");
  if (fields.empty() || reply.status != 200) return reply;
  const nlohmann::json whole = nlohmann::json::parse(reply.body, nullptr, /*allow_exceptions=*/false);
  if (whole.is_discarded()) return reply;
  HAKOBU_ASSIGN_OR_RETURN(const nlohmann::json part, PartOf(whole, fields));
  reply.body = part.dump();
  return reply;
}

Reply Answer(Service& service, Request& request, const RouteRow& row) {
  if (std::optional<Reply> refused = Admit(service, row.scope, &request)) return *std::move(refused);
  if (!row.permission.empty()) {
    const absl::Status allowed = CheckPermission(service, request, row.permission, ResourceOf(request));
    if (!allowed.ok()) return ErrorReply(allowed);
  }
  const auto handle = [&]() -> Reply {
    absl::StatusOr<Reply> reply = row.handler(service, request);
    if (reply.ok()) reply = Partial(request, *std::move(reply));
    return reply.ok() ? *std::move(reply) : ErrorReply(reply.status());
  };
  return service.faults->is_active() ? ReplyWithFaults(service, row.name, request, handle) : handle();
}

}  // namespace

Reply Route(Service& service, Request& request) {
  if (service.authority != nullptr && service.authority->GivesTokens()) {
    if (std::optional<Reply> reply = AnswerCredentials(service, request)) return *std::move(reply);
  }
  std::string_view path = request.path;
  for (const std::string_view prefix :
       {"/bigquery/v2/", "/upload/bigquery/v2/", "/bigquery/v2/upload/bigquery/v2/"}) {
    if (path.starts_with(prefix)) {
      path.remove_prefix(prefix.size() - 1);
      break;
    }
  }
  if (path.starts_with("/$discovery/rest") || path.starts_with("/discovery/v1/apis/bigquery/v2/rest")) {
    const absl::StatusOr<Reply> document = Discover(service, request);
    return document.ok() ? *document : ErrorReply(document.status());
  }
  if (path.starts_with(kFaultsPath)) return RouteFaults(service, request, path.substr(kFaultsPath.size()));
  request.segments = Split(path);
  TakeVerb(&request);
  for (const RouteRow& row : kRoutes) {
    if (row.method != request.method || row.verb != request.verb || !Matches(row.pattern, request.segments))
      continue;
    return Answer(service, request, row);
  }
  return ErrorReply(absl::NotFoundError(
      fmt::format("Not found: the local BigQuery has no method {} {}", request.method, request.path)));
}

}  // namespace hakobu::localbq::rest
