#include "delivery/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "base/status.h"
#include "delivery/gone_tables.h"
#include "delivery/move/retry.h"
#include "delivery/preflight/condition_check.h"
#include "delivery/preflight/selection.h"
#include "delivery/run_contract.h"
#include "delivery/schema_change.h"
#include "delivery/sealed_values.h"
#include "destination/known_table.h"

namespace hakobu {

absl::Status CheckDataset(RunContext* run, Prepared* prepared) {
  const DestinationConfig& destination = run->config->destination;
  const absl::StatusOr<Resource> dataset =
      GetDataset(*run->destination.rest, {destination.project, destination.dataset});
  if (dataset.status().code() == absl::StatusCode::kNotFound) {
    prepared->notes.push_back(fmt::format("dataset {} does not exist: it is created in {}",
                                          destination.dataset, destination.location));
    return absl::OkStatus();
  }
  HAKOBU_RETURN_IF_ERROR(dataset.status());
  prepared->dataset_exists = true;
  const nlohmann::json found = nlohmann::json::parse(dataset->json, nullptr, false);
  const std::string location = found.is_object() ? found.value("location", "") : "";
  if (location.empty() || absl::EqualsIgnoreCase(location, destination.location)) return absl::OkStatus();
  return WithHint(
      absl::InvalidArgumentError(fmt::format("dataset {} is in {}, destination.location says {}",
                                             destination.dataset, location, destination.location)),
      fmt::format("set location: {}", location));
}

absl::Status CompareWithTarget(RunContext* run, Connection* source, bool dataset_exists, TableWork* work) {
  Rest& rest = *run->destination.rest;
  HAKOBU_ASSIGN_OR_RETURN(const std::optional<SchemaVersion> before,
                          run->ledger->schemas().NewestSchema(work->target.ToString()));
  if (dataset_exists) {
    absl::StatusOr<Resource> target =
        before.has_value() ? GetKnownTable(rest, work->target) : GetTable(rest, work->target);
    if (target.ok()) {
      work->existing = std::move(target->json);
    } else if (target.status().code() != absl::StatusCode::kNotFound) {
      return target.status();
    }
  }
  HAKOBU_RETURN_IF_ERROR(
      HoldToContract({.config = run->config, .rest = &rest, .ledger = run->ledger}, source, work));
  if (!work->existing.has_value()) return absl::OkStatus();
  HAKOBU_ASSIGN_OR_RETURN(
      SchemaChanges changes,
      CompareSchemas(*work->existing, before.has_value() ? before->schema_json : "", work));
  work->changes = std::move(changes.changes);
  work->ddl = std::move(changes.ddl);
  work->replaces_schema = changes.replaces_schema;
  work->ddl_after = std::move(changes.ddl_after);
  work->cannot_alter = std::move(changes.cannot_alter);
  return CheckPartitioning(*work->existing, *work);
}

namespace {

// Takes the tables that have problems out, and says of each what they are.
void SetAside(const Problems& problems, Prepared* prepared) {
  std::map<std::string, Problems> by_table;
  for (const Problems::Problem& problem : problems.list()) by_table[problem.table].Add(problem.status);
  for (const auto& [name, own] : by_table) {
    const absl::Status status = own.Status();
    prepared->troubles.push_back({.source = name,
                                  .error = std::string(View(status.message())),
                                  .refused = status.code() == absl::StatusCode::kDataLoss});
  }
  std::erase_if(prepared->tables, [&](const TableWork& work) { return by_table.contains(work.name); });
}

}  // namespace

absl::StatusOr<Prepared> Prepare(RunContext* run, Connection* source) {
  Prepared prepared;
  Problems problems;
  Findings findings;
  Selection selection = Select(*run->config, run->options.tables, DeliveredBy::kRun, source, &findings);
  for (const Finding& finding : findings.list()) {
    if (finding.level != FindingLevel::kProblem) continue;
    problems.Add(finding.ToStatus(), finding.concerns_table() ? finding.subject : "");
  }
  prepared.tables = std::move(selection.tables);
  for (const LeftOutTable& table : selection.left_out) {
    prepared.notes.push_back(fmt::format("{} is left out: {}", table.name, table.reason));
  }
  for (TableWork& work : prepared.tables) {
    problems.Add(MapTable(*run->config, &work), work.name);
    problems.Add(CheckCondition(source, work), work.name);
  }
  if (findings.GeneralProblems().ok()) {
    problems.Add(LookForGoneTables(*run, source, selection, findings, &prepared, &problems));
  }
  problems.Add(CheckDataset(run, &prepared));
  for (TableWork& work : prepared.tables) {
    const absl::Status status = CompareWithTarget(run, source, prepared.dataset_exists, &work);
    if (std::string open = LieOpenNote(work); !open.empty()) work.notes.push_back(std::move(open));
    problems.Add(status, PassesByItself(status) ? "" : work.name);
  }
  const bool general = std::any_of(problems.list().begin(), problems.list().end(),
                                   [](const Problems::Problem& problem) { return problem.table.empty(); });
  if (general) return problems.Status();
  SetAside(problems, &prepared);
  if (prepared.tables.empty()) HAKOBU_RETURN_IF_ERROR(problems.Status());
  if (prepared.tables.empty()) {
    return WithHint(absl::InvalidArgumentError("there is no table to deliver"),
                    "`hakobu run` delivers tables of the modes replace, append and incremental");
  }
  prepared.fingerprint = Fingerprint(*run->config, prepared.tables);
  return prepared;
}

}  // namespace hakobu
