// The discovery document that `bq` asks for before every command: the methods, and every schema they name.
#include <nlohmann/json.hpp>

#include "localbq/rest/service.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

struct Method {
  const char* resource;
  const char* name;
  const char* http_method;
  const char* path;        // {+projectId} … as Google writes it
  const char* parameters;  // query parameters: "maxResults:integer pageToken:string"
  const char* request;     // schema names; empty: none
  const char* response;
};

constexpr Method kMethods[] = {
    {"projects", "list", "GET", "projects", "maxResults:integer pageToken:string", "", "ProjectList"},
    {"projects", "getServiceAccount", "GET", "projects/{+projectId}/serviceAccount", "", "",
     "GetServiceAccountResponse"},
    {"datasets", "list", "GET", "projects/{+projectId}/datasets",
     "all:boolean filter:string maxResults:integer pageToken:string", "", "DatasetList"},
    {"datasets", "insert", "POST", "projects/{+projectId}/datasets", "accessPolicyVersion:integer", "Dataset",
     "Dataset"},
    {"datasets", "get", "GET", "projects/{+projectId}/datasets/{+datasetId}",
     "accessPolicyVersion:integer datasetView:string", "", "Dataset"},
    {"datasets", "patch", "PATCH", "projects/{+projectId}/datasets/{+datasetId}",
     "accessPolicyVersion:integer updateMode:string", "Dataset", "Dataset"},
    {"datasets", "update", "PUT", "projects/{+projectId}/datasets/{+datasetId}",
     "accessPolicyVersion:integer updateMode:string", "Dataset", "Dataset"},
    {"datasets", "delete", "DELETE", "projects/{+projectId}/datasets/{+datasetId}", "deleteContents:boolean",
     "", ""},
    {"tables", "list", "GET", "projects/{+projectId}/datasets/{+datasetId}/tables",
     "maxResults:integer pageToken:string", "", "TableList"},
    {"tables", "insert", "POST", "projects/{+projectId}/datasets/{+datasetId}/tables", "", "Table", "Table"},
    {"tables", "get", "GET", "projects/{+projectId}/datasets/{+datasetId}/tables/{+tableId}",
     "selectedFields:string view:string", "", "Table"},
    {"tables", "patch", "PATCH", "projects/{+projectId}/datasets/{+datasetId}/tables/{+tableId}",
     "autodetect_schema:boolean", "Table", "Table"},
    {"tables", "update", "PUT", "projects/{+projectId}/datasets/{+datasetId}/tables/{+tableId}",
     "autodetect_schema:boolean", "Table", "Table"},
    {"tables", "delete", "DELETE", "projects/{+projectId}/datasets/{+datasetId}/tables/{+tableId}", "", "",
     ""},
    {"tabledata", "list", "GET", "projects/{+projectId}/datasets/{+datasetId}/tables/{+tableId}/data",
     "maxResults:integer pageToken:string selectedFields:string startIndex:string "
     "formatOptions.useInt64Timestamp:boolean formatOptions.timestampOutputFormat:string",
     "", "TableDataList"},
    {"tabledata", "insertAll", "POST",
     "projects/{+projectId}/datasets/{+datasetId}/tables/{+tableId}/insertAll", "",
     "TableDataInsertAllRequest", "TableDataInsertAllResponse"},
    {"jobs", "list", "GET", "projects/{+projectId}/jobs",
     "allUsers:boolean maxCreationTime:string maxResults:integer minCreationTime:string pageToken:string "
     "parentJobId:string projection:string stateFilter:string",
     "", "JobList"},
    {"jobs", "insert", "POST", "projects/{+projectId}/jobs", "", "Job", "Job"},
    {"jobs", "get", "GET", "projects/{+projectId}/jobs/{+jobId}", "location:string", "", "Job"},
    {"jobs", "cancel", "POST", "projects/{+projectId}/jobs/{+jobId}/cancel", "location:string", "",
     "JobCancelResponse"},
    {"jobs", "delete", "DELETE", "projects/{+projectId}/jobs/{+jobId}/delete", "location:string", "", ""},
    {"jobs", "query", "POST", "projects/{+projectId}/queries", "", "QueryRequest", "QueryResponse"},
    {"jobs", "getQueryResults", "GET", "projects/{+projectId}/queries/{+jobId}",
     "location:string maxResults:integer pageToken:string startIndex:string timeoutMs:integer "
     "formatOptions.useInt64Timestamp:boolean formatOptions.timestampOutputFormat:string",
     "", "GetQueryResultsResponse"},
    {"rowAccessPolicies", "list", "GET",
     "projects/{+projectId}/datasets/{+datasetId}/tables/{+tableId}/rowAccessPolicies",
     "pageSize:integer pageToken:string", "", "ListRowAccessPoliciesResponse"},
    // bq looks these resources up when it starts; the local BigQuery answers them with 404.
    {"models", "list", "GET", "projects/{+projectId}/datasets/{+datasetId}/models",
     "maxResults:integer pageToken:string", "", "ListModelsResponse"},
    {"routines", "list", "GET", "projects/{+projectId}/datasets/{+datasetId}/routines",
     "filter:string maxResults:integer pageToken:string readMask:string", "", "ListRoutinesResponse"},
};

void AddPathParameters(std::string_view path, json* parameters, json* order) {
  for (size_t at = path.find("{+"); at != std::string_view::npos; at = path.find("{+", at + 1)) {
    const std::string name(path.substr(at + 2, path.find('}', at) - at - 2));
    (*parameters)[name] = {
        {"type", "string"}, {"required", true}, {"location", "path"}, {"pattern", "^[^/]+$"}};
    order->push_back(name);
  }
}

void AddQueryParameters(std::string_view list, json* parameters) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(' '), list.size());
    const std::string_view entry = list.substr(0, end);
    const size_t colon = entry.find(':');
    json parameter = {{"type", entry.substr(colon + 1)}, {"location", "query"}};
    if (entry.starts_with("stateFilter")) parameter["repeated"] = true;
    (*parameters)[std::string(entry.substr(0, colon))] = std::move(parameter);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

json MethodJson(const Method& method, json* schemas) {
  json parameters = json::object(), order = json::array();
  AddPathParameters(method.path, &parameters, &order);
  AddQueryParameters(method.parameters, &parameters);
  json result = {{"id", std::string("bigquery.") + method.resource + "." + method.name},
                 {"path", method.path},
                 {"flatPath", method.path},
                 {"httpMethod", method.http_method},
                 {"parameters", std::move(parameters)},
                 {"parameterOrder", std::move(order)},
                 {"scopes", json::array({"https://www.googleapis.com/auth/bigquery"})}};
  const auto reference = [&](const char* key, std::string name) {
    if (name.empty()) return;
    (*schemas)[name] = {{"id", name}, {"type", "object"}};
    result[key] = {{"$ref", name}};
  };
  reference("request", method.request);
  reference("response", method.response);
  if (result["id"] == "bigquery.jobs.insert") {
    result["supportsMediaUpload"] = true;
    result["mediaUpload"] = {
        {"accept", json::array({"*/*"})},
        {"protocols",
         {{"simple", {{"multipart", true}, {"path", "/upload/bigquery/v2/projects/{+projectId}/jobs"}}},
          {"resumable",
           {{"multipart", true}, {"path", "/resumable/upload/bigquery/v2/projects/{+projectId}/jobs"}}}}}};
  }
  return result;
}

}  // namespace

absl::StatusOr<Reply> Discover(Service& service, const Request&) {
  json resources = json::object(), schemas = json::object();
  for (const Method& method : kMethods) {
    resources[method.resource]["methods"][method.name] = MethodJson(method, &schemas);
  }
  const std::string root = service.url + "/";
  return JsonReply(
      {{"kind", "discovery#restDescription"},
       {"discoveryVersion", "v1"},
       {"id", "bigquery:v2"},
       {"name", "bigquery"},
       {"version", "v2"},
       {"revision", "20250528"},
       {"title", "BigQuery API"},
       {"description", "The local BigQuery's REST API."},
       {"protocol", "rest"},
       {"rootUrl", root},
       {"servicePath", "bigquery/v2/"},
       {"baseUrl", root + "bigquery/v2/"},
       {"basePath", "/bigquery/v2/"},
       {"batchPath", "batch/bigquery/v2"},
       {"parameters",
        {{"alt", {{"type", "string"}, {"default", "json"}, {"location", "query"}}},
         {"fields", {{"type", "string"}, {"location", "query"}}},
         {"key", {{"type", "string"}, {"location", "query"}}},
         {"prettyPrint", {{"type", "boolean"}, {"location", "query"}}},
         {"quotaUser", {{"type", "string"}, {"location", "query"}}},
         {"userIp", {{"type", "string"}, {"location", "query"}}}}},
       {"auth",
        {{"oauth2",
          {{"scopes", {{"https://www.googleapis.com/auth/bigquery", {{"description", "BigQuery"}}}}}}}}},
       {"resources", std::move(resources)},
       {"schemas", std::move(schemas)}});
}

}  // namespace hakobu::localbq::rest
