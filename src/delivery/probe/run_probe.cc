#include "delivery/probe/run_probe.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <random>

#include "base/crash_point.h"
#include "base/status.h"
#include "delivery/open_ledger.h"
#include "delivery/sides.h"

namespace hakobu {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(2);
// Tables that outlive a removal which failed: they expire. The shortest that the service allows is an hour.
constexpr absl::Duration kScratchLife = absl::Hours(3);

absl::StatusOr<DatasetName> ParseDataset(const std::string& text) {
  const size_t dot = text.rfind('.');
  if (dot == std::string::npos)
    return absl::DataLossError("the ledger's scratch dataset has no project: " + text);
  return DatasetName{text.substr(0, dot), text.substr(dot + 1)};
}

absl::Status Remove(Rest& rest, ProbeBook& book, const DatasetName& dataset) {
  const absl::Status removed = DeleteDataset(rest, dataset, DatasetContents::kDeleteToo);
  if (!removed.ok() && !absl::IsNotFound(removed)) {
    return Annotate(removed,
                    fmt::format("remove the scratch dataset {} (the next `hakobu probe` with this ledger "
                                "tries again)",
                                dataset.ToString()));
  }
  return book.ForgetScratch(dataset.ToString());
}

// What probes that were killed have left.
absl::Status RemoveLeftovers(Rest& rest, ProbeBook& book) {
  HAKOBU_ASSIGN_OR_RETURN(const std::vector<std::string> left, book.Scratch());
  for (const std::string& each : left) {
    HAKOBU_ASSIGN_OR_RETURN(const DatasetName dataset, ParseDataset(each));
    HAKOBU_RETURN_IF_ERROR(Remove(rest, book, dataset));
  }
  return absl::OkStatus();
}

absl::StatusOr<DatasetName> MakeScratch(Rest& rest, ProbeBook& book, const DestinationConfig& destination,
                                        absl::Duration life) {
  std::random_device device;
  const DatasetName dataset{destination.project,
                            fmt::format("hakobu_probe_{:08x}{:08x}", device(), device())};
  HAKOBU_RETURN_IF_ERROR(book.AddScratch(dataset.ToString()));
  CrashPoint("probe.scratch_known");
  const nlohmann::json body = {{"location", destination.location},
                               {"description", "Scratch of hakobu probe, which removes it."},
                               {"labels", {{"hakobu", "probe"}}},
                               {"defaultTableExpirationMs", fmt::to_string(absl::ToInt64Milliseconds(life))}};
  const absl::Status made = CreateDataset(rest, dataset, body.dump()).status();
  if (!made.ok()) {
    HAKOBU_RETURN_IF_ERROR(Remove(rest, book, dataset));
    return WithHint(Annotate(made, "make the scratch dataset " + dataset.ToString()),
                    fmt::format("bigquery.datasets.create on project {}: roles/bigquery.user has it",
                                destination.project));
  }
  CrashPoint("probe.scratch_made");
  return dataset;
}

}  // namespace

absl::Status RunProbe(const Config& config, const ProbeOptions& options,
                      const std::function<void(const ProbeOutcome&)>& tell, const Cancellation& cancel) {
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<Ledger> ledger, OpenLedger(config, ""));
  HAKOBU_ASSIGN_OR_RETURN(const std::unique_ptr<LedgerLock> lock, ledger->Lock(LedgerUse::kProbe));
  ProbeBook& book = ledger->probes();
  const DestinationConfig& to = config.destination;
  HAKOBU_ASSIGN_OR_RETURN(const Destination sides,
                          OpenDestination(to, options.addresses, options.clock, &cancel, kPatience));
  // What is made is removed also after a stop.
  HAKOBU_ASSIGN_OR_RETURN(const Destination remover,
                          OpenDestination(to, options.addresses, options.clock, nullptr, kPatience));
  HAKOBU_RETURN_IF_ERROR(RemoveLeftovers(*sides.rest, book));
  ProbePlan plan;
  HAKOBU_ASSIGN_OR_RETURN(plan.scratch,
                          MakeScratch(*remover.rest, book, to, kScratchLife + options.stream_age));
  plan.billing_project = to.billing_project;
  plan.location = to.location;
  plan.kms_key = to.kms_key;
  plan.policy_tag = options.policy_tag;
  plan.members = options.members;
  plan.watch = options.watch;
  plan.stream_age = options.stream_age;
  const absl::Status done =
      RunExperiments(*sides.rest, *sides.storage, plan, options.experiments,
                     [&](const ProbeOutcome& outcome) -> absl::Status {
                       for (const ProbeAnswer& answer : outcome.answers) {
                         if (answer.answer == kOpenAnswer) continue;  // an earlier answer still holds
                         HAKOBU_RETURN_IF_ERROR(book.Keep({.project = to.project,
                                                           .location = to.location,
                                                           .question = answer.question,
                                                           .answer = answer.answer,
                                                           .seen = answer.seen,
                                                           .asked = options.clock->Now()}));
                       }
                       CrashPoint("probe.answered");
                       tell(outcome);
                       return absl::OkStatus();
                     });
  const absl::Status removed = Remove(*remover.rest, book, plan.scratch);
  return done.ok() ? removed : done;
}

}  // namespace hakobu
