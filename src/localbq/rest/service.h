// What the REST handlers share, and the handlers themselves: one for each method of the v2 API.
// Source: https://cloud.google.com/bigquery/docs/reference/rest
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "localbq/catalog/names.h"
#include "localbq/rest/http.h"

namespace hakobu::localbq {
class Catalog;
class ChangeLog;
class Faults;
class Warehouse;
struct Table;
}  // namespace hakobu::localbq

namespace hakobu::localbq::auth {
class Authority;
}

namespace hakobu::localbq::rest {

class JobStore;
class Uploads;

struct Service {
  Catalog* catalog;
  Warehouse* warehouse;
  ChangeLog* changes;
  JobStore* jobs;
  Uploads* uploads;
  Faults* faults;
  auth::Authority* authority;  // null: nobody is asked who they are
  std::string url;             // "http://127.0.0.1:9050", for selfLink and Location
};

using Handler = absl::StatusOr<Reply> (*)(Service& service, const Request& request);

// datasets.cc
absl::StatusOr<Reply> ListProjects(Service& service, const Request& request);
absl::StatusOr<Reply> ListDatasets(Service& service, const Request& request);
absl::StatusOr<Reply> InsertDataset(Service& service, const Request& request);
absl::StatusOr<Reply> ListNone(Service& service, const Request& request);
absl::StatusOr<Reply> GetDataset(Service& service, const Request& request);
absl::StatusOr<Reply> PatchDataset(Service& service, const Request& request);
absl::StatusOr<Reply> UpdateDataset(Service& service, const Request& request);
absl::StatusOr<Reply> DeleteDataset(Service& service, const Request& request);
// tables.cc
absl::StatusOr<Reply> ListTables(Service& service, const Request& request);
absl::StatusOr<Reply> InsertTable(Service& service, const Request& request);
absl::StatusOr<Reply> GetTable(Service& service, const Request& request);
absl::StatusOr<Reply> PatchTable(Service& service, const Request& request);
absl::StatusOr<Reply> UpdateTable(Service& service, const Request& request);
absl::StatusOr<Reply> DeleteTable(Service& service, const Request& request);
// tabledata.cc, insert_all.cc
absl::StatusOr<Reply> ListTableData(Service& service, const Request& request);
absl::StatusOr<Reply> InsertAll(Service& service, const Request& request);
// jobs.cc, queries.cc
absl::StatusOr<Reply> InsertJob(Service& service, const Request& request);
absl::StatusOr<Reply> GetJob(Service& service, const Request& request);
absl::StatusOr<Reply> ListJobs(Service& service, const Request& request);
absl::StatusOr<Reply> CancelJob(Service& service, const Request& request);
absl::StatusOr<Reply> DeleteJob(Service& service, const Request& request);
absl::StatusOr<Reply> Query(Service& service, const Request& request);
absl::StatusOr<Reply> GetQueryResults(Service& service, const Request& request);
// uploads.cc
absl::StatusOr<Reply> BeginUpload(Service& service, const Request& request);
// policies.cc
absl::StatusOr<Reply> GetTablePolicy(Service& service, const Request& request);
absl::StatusOr<Reply> SetTablePolicy(Service& service, const Request& request);
absl::StatusOr<Reply> TestTablePermissions(Service& service, const Request& request);
absl::StatusOr<Reply> ListRowPolicies(Service& service, const Request& request);
absl::StatusOr<Reply> InsertRowPolicy(Service& service, const Request& request);
absl::StatusOr<Reply> GetRowPolicy(Service& service, const Request& request);
absl::StatusOr<Reply> UpdateRowPolicy(Service& service, const Request& request);
absl::StatusOr<Reply> DeleteRowPolicy(Service& service, const Request& request);
absl::StatusOr<Reply> DeleteRowPolicies(Service& service, const Request& request);
// fault_methods.cc: /hakobu/v1/faults[/{id}]
absl::StatusOr<Reply> DescribeFaults(Service& service, const Request& request);
absl::StatusOr<Reply> AddFaults(Service& service, const Request& request);
absl::StatusOr<Reply> RemoveFaults(Service& service, const Request& request);
// discovery.cc
absl::StatusOr<Reply> Discover(Service& service, const Request& request);

// projects/P/datasets/D[/tables/T] of a request.
inline DatasetId DatasetOf(const Request& request) {
  return {request.segments[1], request.segments[3]};
}
inline TableId TableOf(const Request& request) {
  return {request.segments[1], request.segments[3], request.segments[5]};
}
// {"projectId","datasetId","tableId"}; `project` where none is given. InvalidArgument when a part is missing.
absl::StatusOr<TableId> TableFromReference(const nlohmann::json& reference, std::string_view project);
nlohmann::json ToReference(const TableId& id);

// A page of a listing: [begin, end) of `size` by maxResults and pageToken, and the token that follows (empty:
// last).
struct Page {
  size_t begin = 0, end = 0;
  std::string next_token;
};
absl::StatusOr<Page> PageOf(const Request& request, size_t size, size_t default_results);

}  // namespace hakobu::localbq::rest
