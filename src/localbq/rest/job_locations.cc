// Where jobs run: a job sees the datasets of its location alone.
// Source: https://cloud.google.com/bigquery/docs/locations
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "localbq/catalog/catalog.h"
#include "localbq/faults/faults.h"
#include "localbq/rest/http.h"
#include "localbq/rest/jobs.h"
#include "localbq/rest/service.h"
#include "localbq/sql/execute.h"

namespace hakobu::localbq::rest {
namespace {

using nlohmann::json;

constexpr char kDefault[] = "US";

// Of the dataset that a configuration's `key` names; empty: none.
std::string LocationOf(const Service& service, const Job& job, const json& configuration, const char* key) {
  const json& reference = Child(configuration, key);
  const auto dataset =
      service.catalog->GetDataset({Text(reference, "projectId", job.project), Text(reference, "datasetId")});
  return dataset.ok() ? (*dataset)->location : "";
}

// Of the first table that a query names.
std::string LocationOfText(const Service& service, const Job& job, const json& query) {
  sql::Context context;
  context.project = job.project;
  const auto answer = sql::DryRun(Text(query, "query"), context, *service.catalog);
  if (!answer.ok()) return kDefault;
  std::vector<sql::TableName> names;
  for (const sql::ReferencedTable& table : answer->referenced) names.push_back(table.name);
  names.push_back(answer->target);
  for (const sql::TableName& name : names) {
    const auto dataset = service.catalog->GetDataset({name.project, name.dataset});
    if (dataset.ok()) return (*dataset)->location;
  }
  return kDefault;
}

}  // namespace

bool IsSameLocation(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, absl::ascii_tolower, absl::ascii_tolower);
}

std::string LocationFor(const Service& service, const Job& job) {
  if (!service.faults->Has(Behaviour::kLocations)) return kDefault;
  const std::string type = absl::AsciiStrToLower(job.type);
  const json& configuration = Child(job.configuration, type.c_str());
  for (const char* key : {"destinationTable", "defaultDataset"}) {
    if (std::string location = LocationOf(service, job, configuration, key); !location.empty())
      return location;
  }
  if (type != "query") return kDefault;
  const bool only_default = std::ranges::all_of(
      service.catalog->ListDatasets(job.project),
      [](const DatasetPtr& dataset) { return IsSameLocation(dataset->location, kDefault); });
  return only_default ? kDefault : LocationOfText(service, job, configuration);
}

absl::Status CheckLocation(const Service& service, const Job& job, const DatasetId& id) {
  if (!service.faults->Has(Behaviour::kLocations)) return absl::OkStatus();
  const auto dataset = service.catalog->GetDataset(id);
  if (!dataset.ok() || IsSameLocation((*dataset)->location, job.location)) return absl::OkStatus();
  return absl::NotFoundError(
      fmt::format("Not found: Dataset {} was not found in location {}", DisplayName(id), job.location));
}

}  // namespace hakobu::localbq::rest
