// projects.list and the datasets resource.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "localbq/catalog/catalog.h"
#include "localbq/rest/access.h"
#include "localbq/rest/service.h"
#include "localbq/rest/unsupported.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

json DefaultAccess(const std::string& identity) {
  const std::string creator = identity.empty() ? "user@example.com" : std::string(auth::EmailOf(identity));
  const char* kind = creator.starts_with("principal") ? "iamMember" : "userByEmail";
  return json::array({{{"role", "WRITER"}, {"specialGroup", "projectWriters"}},
                      {{"role", "OWNER"}, {"specialGroup", "projectOwners"}},
                      {{"role", "OWNER"}, {kind, creator}},
                      {{"role", "READER"}, {"specialGroup", "projectReaders"}}});
}

// One of these, and a role unless it is an authorised view, routine or dataset.
absl::Status CheckAccess(const json& access) {
  constexpr const char* kWho[] = {"userByEmail", "groupByEmail", "domain", "specialGroup", "iamMember"};
  constexpr const char* kWhat[] = {"view", "routine", "dataset"};
  for (const json& entry : access) {
    if (!entry.is_object())
      return absl::InvalidArgumentError("Invalid value for access: an entry is not an object");
    int who = 0, what = 0;
    for (const char* key : kWho) who += entry.contains(key) && !entry[key].is_null() ? 1 : 0;
    for (const char* key : kWhat) what += entry.contains(key) && !entry[key].is_null() ? 1 : 0;
    if (who + what != 1) {
      return absl::InvalidArgumentError(
          "Invalid value for access: expected exactly one of userByEmail, groupByEmail, domain, "
          "specialGroup, "
          "iamMember, view, routine or dataset in each entry");
    }
    if (who == 1 && Text(entry, "role").empty())
      return absl::InvalidArgumentError("Required parameter is missing: role");
  }
  return absl::OkStatus();
}

json Representation(const Service& service, const Dataset& dataset) {
  json resource = ToJson(dataset);
  resource["selfLink"] = fmt::format("{}/bigquery/v2/projects/{}/datasets/{}", service.url,
                                     dataset.id.project, dataset.id.dataset);
  return resource;
}

// Who may change a dataset may not thereby change who may read it.
absl::Status CheckAccessChange(const Service& service, const Request& request, const json& body) {
  if (service.authority == nullptr || !body.contains("access")) return absl::OkStatus();
  const DatasetId id = DatasetOf(request);
  HAKOBU_ASSIGN_OR_RETURN(const DatasetPtr dataset, service.catalog->GetDataset(id));
  if (body["access"] == json::parse(dataset->access)) return absl::OkStatus();
  return CheckPermission(service, request, "bigquery.datasets.setIamPolicy", {id.project, id.dataset, ""});
}

absl::StatusOr<Reply> Change(Service& service, const Request& request, bool is_patch) {
  const DatasetId id = DatasetOf(request);
  HAKOBU_ASSIGN_OR_RETURN(const json body, request.Json());
  HAKOBU_RETURN_IF_ERROR(RefuseUnsupported(body));
  if (body.contains("access") && body["access"].is_array())
    HAKOBU_RETURN_IF_ERROR(CheckAccess(body["access"]));
  HAKOBU_RETURN_IF_ERROR(CheckAccessChange(service, request, body));
  const auto apply = [&](Dataset& dataset) -> absl::Status {
    const json before = ToJson(dataset);
    json after = is_patch ? Patched(before, body) : body;
    if (!after.contains("access") || !after["access"].is_array()) after["access"] = before["access"];
    if (Text(after, "location", dataset.location) != dataset.location) {
      return absl::InvalidArgumentError("Dataset location cannot be changed");
    }
    after["location"] = dataset.location;
    HAKOBU_ASSIGN_OR_RETURN(dataset, DatasetFromJson(after, id));
    return absl::OkStatus();
  };
  HAKOBU_ASSIGN_OR_RETURN(const DatasetPtr dataset,
                          service.catalog->UpdateDataset(id, request.Header("if-match"), apply));
  return JsonReply(Representation(service, *dataset));
}

}  // namespace

absl::StatusOr<Reply> ListProjects(Service& service, const Request& request) {
  json projects = json::array();
  for (const std::string& project : service.catalog->ListProjects()) {
    if (service.authority != nullptr && !service.authority->HasRoleIn(request.identity, project)) continue;
    projects.push_back({{"kind", "bigquery#project"},
                        {"id", project},
                        {"numericId", "1"},
                        {"projectReference", {{"projectId", project}}},
                        {"friendlyName", project}});
  }
  const size_t count = projects.size();
  return JsonReply({{"kind", "bigquery#projectList"},
                    {"etag", "projects"},
                    {"projects", std::move(projects)},
                    {"totalItems", count}});
}

absl::StatusOr<Reply> ListDatasets(Service& service, const Request& request) {
  std::vector<DatasetPtr> datasets;
  const std::string_view filter = request.Query("filter");
  for (DatasetPtr& dataset : service.catalog->ListDatasets(request.Segment(1))) {
    if (dataset->id.dataset.starts_with('_') && !request.QueryFlag("all")) continue;
    const auth::Resource resource{dataset->id.project, dataset->id.dataset, ""};
    if (!IsVisible(service, request, "bigquery.datasets.get", resource)) continue;
    // filter=labels.key[:value], several with spaces between
    bool passes = true;
    for (size_t at = 0; at < filter.size();) {
      const size_t end = std::min(filter.find(' ', at), filter.size());
      std::string_view term = filter.substr(at, end - at);
      at = end + 1;
      if (!term.starts_with("labels.")) continue;
      term.remove_prefix(7);
      const size_t colon = term.find(':');
      const auto label = dataset->labels.find(std::string(term.substr(0, colon)));
      passes = passes && label != dataset->labels.end() &&
               (colon == std::string_view::npos || label->second == term.substr(colon + 1));
    }
    if (passes) datasets.push_back(std::move(dataset));
  }
  HAKOBU_ASSIGN_OR_RETURN(const Page page, PageOf(request, datasets.size(), 1000));
  json list = {{"kind", "bigquery#datasetList"}, {"etag", "datasets"}};
  for (size_t i = page.begin; i < page.end; ++i) {
    const Dataset& dataset = *datasets[i];
    json entry = {
        {"kind", "bigquery#dataset"},
        {"id", DisplayName(dataset.id)},
        {"datasetReference", {{"projectId", dataset.id.project}, {"datasetId", dataset.id.dataset}}},
        {"location", dataset.location}};
    if (!dataset.labels.empty()) entry["labels"] = dataset.labels;
    if (!dataset.friendly_name.empty()) entry["friendlyName"] = dataset.friendly_name;
    list["datasets"].push_back(std::move(entry));
  }
  if (!page.next_token.empty()) list["nextPageToken"] = page.next_token;
  return JsonReply(list);
}

absl::StatusOr<Reply> InsertDataset(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(json body, request.Json());
  const json& reference = Child(body, "datasetReference");
  const DatasetId id{Text(reference, "projectId", request.Segment(1)), Text(reference, "datasetId")};
  if (id.dataset.empty()) {
    return WithReason(absl::InvalidArgumentError("Required parameter is missing: datasetId"), "required");
  }
  HAKOBU_RETURN_IF_ERROR(RefuseUnsupported(body));
  if (!body.contains("access") || !body["access"].is_array() || body["access"].empty()) {
    body["access"] = DefaultAccess(request.identity);
  }
  HAKOBU_RETURN_IF_ERROR(CheckAccess(body["access"]));
  HAKOBU_ASSIGN_OR_RETURN(Dataset dataset, DatasetFromJson(body, id));
  HAKOBU_ASSIGN_OR_RETURN(const DatasetPtr created, service.catalog->CreateDataset(std::move(dataset)));
  return JsonReply(Representation(service, *created));
}

// Its routines and its models: there are none.
absl::StatusOr<Reply> ListNone(Service& service, const Request& request) {
  HAKOBU_RETURN_IF_ERROR(service.catalog->GetDataset(DatasetOf(request)).status());
  return JsonReply(json::object());
}

absl::StatusOr<Reply> GetDataset(Service& service, const Request& request) {
  HAKOBU_ASSIGN_OR_RETURN(const DatasetPtr dataset, service.catalog->GetDataset(DatasetOf(request)));
  if (request.Header("if-none-match") == dataset->etag) {
    Reply unchanged;
    unchanged.status = 304;
    return unchanged;
  }
  Reply reply = JsonReply(Representation(service, *dataset));
  reply.headers.emplace_back("ETag", dataset->etag);
  return reply;
}

absl::StatusOr<Reply> PatchDataset(Service& service, const Request& request) {
  return Change(service, request, true);
}
absl::StatusOr<Reply> UpdateDataset(Service& service, const Request& request) {
  return Change(service, request, false);
}

absl::StatusOr<Reply> DeleteDataset(Service& service, const Request& request) {
  const absl::Status status =
      service.catalog->DeleteDataset(DatasetOf(request), request.QueryFlag("deleteContents"));
  if (absl::IsInvalidArgument(status)) return WithReason(status, "resourceInUse");
  HAKOBU_RETURN_IF_ERROR(status);
  Reply reply;
  reply.status = 204;
  return reply;
}

}  // namespace hakobu::localbq::rest
