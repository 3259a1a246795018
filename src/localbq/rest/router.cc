#include "localbq/rest/router.h"

#include <fmt/format.h>

#include <array>

namespace hakobu::localbq::rest {
namespace {

struct RouteRow {
  std::string_view method;
  std::string_view pattern;  // '*' stands for one segment
  std::string_view verb;
  Handler handler;
};

constexpr std::string_view kDataset = "projects/*/datasets/*";
constexpr std::string_view kTable = "projects/*/datasets/*/tables/*";
constexpr std::string_view kRowPolicies = "projects/*/datasets/*/tables/*/rowAccessPolicies";
constexpr std::string_view kRowPolicy = "projects/*/datasets/*/tables/*/rowAccessPolicies/*";

constexpr RouteRow kRoutes[] = {
    {"GET", "projects", "", ListProjects},
    {"GET", "projects/*/datasets", "", ListDatasets},
    {"POST", "projects/*/datasets", "", InsertDataset},
    {"GET", kDataset, "", GetDataset},
    {"PATCH", kDataset, "", PatchDataset},
    {"PUT", kDataset, "", UpdateDataset},
    {"DELETE", kDataset, "", DeleteDataset},
    {"GET", "projects/*/datasets/*/tables", "", ListTables},
    {"POST", "projects/*/datasets/*/tables", "", InsertTable},
    {"GET", kTable, "", GetTable},
    {"PATCH", kTable, "", PatchTable},
    {"PUT", kTable, "", UpdateTable},
    {"DELETE", kTable, "", DeleteTable},
    {"GET", "projects/*/datasets/*/tables/*/data", "", ListTableData},
    {"POST", "projects/*/datasets/*/tables/*/insertAll", "", InsertAll},
    {"POST", kTable, "getIamPolicy", GetTablePolicy},
    {"POST", kTable, "setIamPolicy", SetTablePolicy},
    {"POST", kTable, "testIamPermissions", TestTablePermissions},
    {"GET", kRowPolicies, "", ListRowPolicies},
    {"POST", kRowPolicies, "", InsertRowPolicy},
    {"POST", kRowPolicies, "batchDelete", DeleteRowPolicies},
    {"GET", kRowPolicy, "", GetRowPolicy},
    {"PUT", kRowPolicy, "", UpdateRowPolicy},
    {"DELETE", kRowPolicy, "", DeleteRowPolicy},
    {"GET", "projects/*/jobs", "", ListJobs},
    {"POST", "projects/*/jobs", "", InsertJob},
    {"GET", "projects/*/jobs/*", "", GetJob},
    {"POST", "projects/*/jobs/*/cancel", "", CancelJob},
    {"DELETE", "projects/*/jobs/*/delete", "", DeleteJob},
    {"POST", "projects/*/queries", "", Query},
    {"GET", "projects/*/queries/*", "", GetQueryResults},
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

}  // namespace

Reply Route(Service& service, Request& request) {
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
  request.segments = Split(path);
  TakeVerb(&request);
  for (const RouteRow& row : kRoutes) {
    if (row.method != request.method || row.verb != request.verb || !Matches(row.pattern, request.segments))
      continue;
    absl::StatusOr<Reply> reply = row.handler(service, request);
    return reply.ok() ? *std::move(reply) : ErrorReply(reply.status());
  }
  return ErrorReply(absl::NotFoundError(
      fmt::format("Not found: the local BigQuery has no method {} {}", request.method, request.path)));
}

}  // namespace hakobu::localbq::rest
