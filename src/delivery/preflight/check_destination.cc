#include "delivery/preflight/check_destination.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "base/status.h"
#include "delivery/preflight/planned_calls.h"
#include "delivery/preflight/table_checks.h"
#include "delivery/schema_change.h"
#include "ledger/ledger.h"

namespace hakobu {
namespace {

constexpr char kDestination[] = "destination";

bool SamePlace(const std::string& left, const std::string& right) {
  return absl::EqualsIgnoreCase(absl::string_view(left), absl::string_view(right));
}

// Elsewhere: not where the configuration says, so that every job in it fails.
enum class DatasetSight : uint8_t { kMissing, kThere, kElsewhere };
DatasetSight CheckDataset(const DestinationConfig& destination, const std::string& name, Rest* rest,
                          Findings* findings) {
  const absl::StatusOr<Resource> dataset = GetDataset(*rest, {destination.project, name});
  if (dataset.status().code() == absl::StatusCode::kNotFound) {
    findings->Add(FindingLevel::kNote, kDestination,
                  fmt::format("dataset {}.{} does not exist: the first run makes it in {}",
                              destination.project, name, destination.location),
                  "that needs bigquery.datasets.create on the project");
    return DatasetSight::kMissing;
  }
  if (!dataset.ok()) {
    findings->AddStatus(kDestination, dataset.status());
    return DatasetSight::kMissing;
  }
  const nlohmann::json json = nlohmann::json::parse(dataset->json, nullptr, false);
  const std::string location = json.is_object() ? json.value("location", "") : "";
  if (!location.empty() && !SamePlace(location, destination.location)) {
    findings->AddStatus(kDestination,
                        absl::InvalidArgumentError(fmt::format(
                            "dataset {} is in {}, and destination.location says {}; hint: set location: {}",
                            name, location, destination.location, location)));
    return DatasetSight::kElsewhere;
  }
  findings->Add(FindingLevel::kOk, kDestination,
                fmt::format("dataset {}.{} in {}", destination.project, name, location));
  return DatasetSight::kThere;
}

// A dry run costs nothing, and needs bigquery.jobs.create as copies, loads and merges do.
void CheckJobs(const DestinationConfig& destination, Rest* rest, Findings* findings) {
  QuerySpec query;
  query.project = destination.billing_project;
  query.sql = "SELECT 1";
  query.location = destination.location;
  const absl::StatusOr<Job> job = DryRunQuery(*rest, query);
  if (job.ok()) {
    findings->Add(FindingLevel::kOk, kDestination,
                  fmt::format("jobs may be run in project {}", destination.billing_project));
    return;
  }
  findings->AddStatus(kDestination, WithHint(Annotate(job.status(), "run jobs"),
                                             fmt::format("roles/bigquery.jobUser on project {}",
                                                         destination.billing_project)));
}

void CompareWithTarget(Rest* rest, Ledger* ledger, TableWork* work, Findings* findings) {
  const absl::StatusOr<Resource> target = GetTable(*rest, work->target);
  if (target.status().code() == absl::StatusCode::kNotFound) return;
  if (!target.ok()) return findings->AddStatus(work->name, target.status());
  std::string before;
  if (ledger != nullptr) {
    const absl::StatusOr<std::optional<SchemaVersion>> version =
        ledger->schemas().NewestSchema(work->target.ToString());
    if (!version.ok()) return findings->AddStatus(work->name, version.status());
    if (*version) before = (*version)->schema_json;
  }
  const absl::StatusOr<SchemaChanges> changes = CompareSchemas(target->json, before, work);
  if (!changes.ok()) return findings->AddStatus(work->name, changes.status());
  for (const SchemaChange& change : changes->changes) {
    findings->Add(
        FindingLevel::kNote, work->name,
        fmt::format("column {} {}: {}", change.column, SchemaChangeName(change.kind), change.behaviour));
  }
  findings->AddStatus(work->name, CheckPartitioning(target->json, *work));
}

// Looking must not make a ledger where there is none.
std::unique_ptr<Ledger> OpenLedger(const Config& config, Findings* findings) {
  if (!std::filesystem::exists(config.ledger)) return nullptr;
  absl::StatusOr<std::unique_ptr<Ledger>> ledger = Ledger::Open(config.ledger);
  if (ledger.ok()) return *std::move(ledger);
  findings->AddStatus("ledger", ledger.status());
  return nullptr;
}

// The calls themselves, on a scratch table: what a run would be refused is known now, with what is missing.
void TryCalls(const Config& config, StagingDataset staging, Destination* sides, Findings* findings) {
  const std::vector<TrialStep> steps = TryPlannedCalls(config, staging, sides);
  size_t done = 0;
  for (const TrialStep& step : steps) {
    const absl::Status status = Annotate(step.status, step.call);
    if (status.ok()) {
      ++done;
    } else if (step.needed || !absl::IsPermissionDenied(status)) {
      findings->AddStatus(kDestination, status);
    } else {
      findings->Add(
          FindingLevel::kWarning, kDestination, fmt::format("{}: {} is missing", step.call, step.permission),
          "without it a run must take it that there are row access policies, and puts tables in place by "
          "MERGE, which bills them");
    }
  }
  findings->Add(
      FindingLevel::kOk, kDestination,
      fmt::format("{} of {} calls succeed on a scratch table, which is removed", done, steps.size()));
}

}  // namespace

void CheckDestination(const Config& config, Destination* sides, std::vector<TableWork>* tables,
                      const std::vector<TableWork>& streamed, Findings* findings) {
  Rest* const rest = sides->rest.get();
  const DestinationConfig& destination = config.destination;
  if (!destination.local()) {
    findings->Add(FindingLevel::kOk, kDestination, rest->options().credentials->Describe());
  }
  const DatasetSight sight = CheckDataset(destination, destination.dataset, rest, findings);
  StagingDataset staging = StagingDataset::kIsThere;
  const bool stages = !tables->empty() || streamed.empty();  // streams have no staging tables
  if (stages && destination.staging_dataset != destination.dataset &&
      CheckDataset(destination, destination.staging_dataset, rest, findings) != DatasetSight::kThere) {
    staging = StagingDataset::kIsMissing;
  }
  if (!findings->has_problems() || sight != DatasetSight::kMissing) CheckJobs(destination, rest, findings);
  if (sight == DatasetSight::kMissing) return;
  if (sight == DatasetSight::kThere) TryCalls(config, staging, sides, findings);
  const std::unique_ptr<Ledger> ledger = OpenLedger(config, findings);
  for (TableWork& work : *tables) CompareWithTarget(rest, ledger.get(), &work, findings);
  for (const TableWork& work : streamed) {
    const absl::StatusOr<Resource> target = GetTable(*rest, work.target);
    if (target.ok()) findings->AddStatus(work.name, CheckTargetKind(target->json, work));
  }
}

}  // namespace hakobu
